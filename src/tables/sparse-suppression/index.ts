export { suppressSparsely, type NewProof, type SparseOptions, type SparseSuppression } from "./suppress-sparsely.ts";
