export { suppressOptimally, type OptimalOptions, type OptimalSuppression } from "./optimal.ts";
