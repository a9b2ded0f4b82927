export { suppressByHypercubes, type HypercubeOptions, type HypercubeSuppression } from "./hypercube.ts";
