import { afterAll, bench, describe } from "vitest";
import { parseRational } from "../src/kernels/rational.ts";
import { discreteGaussian, discreteLaplace, secureBits, uniformInts } from "../src/random/index.ts";

/** Draws per call: enough that a call takes milliseconds. */
const DRAWS = 10_000;
let sink = 0; // printed below, so no engine may drop the work

const ints = uniformInts(secureBits());

describe.each([
  { name: "discrete Gaussian, sigma 10", sample: discreteGaussian(parseRational("100")), baseline: () => 10 * boxMuller() },
  { name: "discrete Gaussian, sigma squared 15625/3858", sample: discreteGaussian(parseRational("15625/3858")), baseline: () => 2 * boxMuller() },
  {
    name: "discrete Gaussian, sigma 10, 30-digit fraction (BigInt)",
    sample: discreteGaussian(parseRational("123456789012345678901234567890/1234567890123456789012345678")),
    baseline: () => 10 * boxMuller(),
  },
  { name: "discrete Laplace, scale 10", sample: discreteLaplace(parseRational("10")), baseline: () => 10 * inverseLaplace() },
])(`${DRAWS} draws of $name`, ({ sample, baseline }) => {
  bench("exact sampler", () => { for (let i = 0; i < DRAWS; i++) sink += sample(ints); });
  bench("baseline: rounded float noise (not private)", () => { for (let i = 0; i < DRAWS; i++) sink += Math.round(baseline()); });
});

describe("random words", () => {
  const words = new Uint32Array(16_384);
  const bits = secureBits();
  bench("secureBits: 64 KB", () => { bits.fill(words); sink += words[0]!; });
});

function unit(): number {
  return (ints.below(2 ** 53) + 0.5) / 2 ** 53;
}

function boxMuller(): number {
  return Math.sqrt(-2 * Math.log(unit())) * Math.cos(2 * Math.PI * unit());
}

function inverseLaplace(): number {
  const u = unit() - 0.5;
  return -Math.sign(u) * Math.log1p(-2 * Math.abs(u));
}

afterAll(() => console.log("sink", sink));
