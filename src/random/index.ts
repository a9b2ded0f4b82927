// rehearsal-bits.ts is left out on purpose: whoever rehearses imports it by name, and the publish path never does.
export { bernoulliExp, bernoulliExpBig } from "./bernoulli.ts";
export { discreteGaussian } from "./discrete-gaussian.ts";
export { discreteLaplace, type IntegerSampler } from "./discrete-laplace.ts";
export { keyedBits, keyedIntegers, SHORTEST_KEY_BYTES } from "./keyed-bits.ts";
export type { RandomBits } from "./random-bits.ts";
export { secureBits } from "./secure-bits.ts";
export { shuffle, type Shuffleable } from "./shuffle.ts";
export { uniformInts, type UniformInts } from "./uniform-ints.ts";
