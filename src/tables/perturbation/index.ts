export type { AmountContributions, PerturbationDescription, PerturbationInput, PerturbationMethod, PublishedCounts } from "./method.ts";
