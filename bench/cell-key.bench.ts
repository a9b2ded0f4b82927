import { bench, describe } from "vitest";
import { keyedIntegers } from "../src/random/keyed-bits.ts";
import { designPTable, keyTable, lookUp, tenFiveRule } from "../src/tables/cell-key/index.ts";

/** Cells a call; ten calls a second are ten million look-ups. */
const CELLS = 1_000_000;
let state = 12345;
const random = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
const counts = Float64Array.from({ length: CELLS }, () => Math.floor(2000 * random() ** 6));
const noise = new Int32Array(CELLS);
const design = designPTable({ maxPerturbation: 5, variance: 3, smallestShown: 3 }).table;

describe(`noise of ${CELLS} cells`, () => {
  for (const { name, table } of [
    { name: "intervals, 10^8 keys", table: keyTable(design, 100_000_000, "unbiased") },
    { name: "256 keys", table: keyTable(design, 256, "unbiased") },
    { name: "10-5 rule", table: tenFiveRule() },
  ]) {
    const keys = Float64Array.from({ length: CELLS }, () => Math.floor(random() * table.keys));
    bench(name, () => lookUp(table, counts, keys, noise));
  }
});

describe("record keys of 10,000 identifiers", () => {
  const recordKey = keyedIntegers(new Uint8Array(32).fill(1), 100_000_000);
  const identifiers = Array.from({ length: 10_000 }, (_, i) => `person-${i}`);
  bench("HMAC-SHA-256", () => {
    for (const identifier of identifiers) recordKey(identifier);
  });
});

describe("design of a perturbation table", () => {
  bench("D = 5, V = 3, closed form", () => void designPTable({ maxPerturbation: 5, variance: 3, smallestShown: 3 }));
  bench("D = 5, V = 3, stay 0.5, monotone", () => void designPTable({ maxPerturbation: 5, variance: 3, smallestShown: 3, stay: 0.5, monotone: true }));
});
