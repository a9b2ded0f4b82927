export type { PerturbationDescription, PerturbationInput, PerturbationMethod, PublishedCounts } from "./method.ts";
