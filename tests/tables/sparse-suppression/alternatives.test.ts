import { describe, expect, test } from "vitest";
import { Alternatives, type AlternativesInput } from "../../../src/tables/audit/alternatives.ts";

/**
 * Two by two, totals shown, inner cells 0..3 blank: rows (0 1) and (2 3), columns (0 2) and (1 3). The one move that changes no
 * total adds to 0 and 3 what it takes from 1 and 2.
 */
function square(base: readonly number[], interval: number, blank: readonly number[] = [0, 1, 2, 3]): AlternativesInput {
  const cellsOf = Int32Array.from([0, 4, 6, 8, 1, 4, 7, 8, 2, 5, 6, 8, 3, 5, 7, 8]);
  const value = new Float64Array(9);
  for (let i = 0; i < 4; i++) for (let m = 0; m < 4; m++) value[cellsOf[4 * i + m]!]! += base[i]!;
  for (const c of blank) value[c] = NaN;
  return { cells: 9, value, inner: 4, cellsOf, memberships: 4, base: Float64Array.from(base), interval, harmlessFrom: Infinity };
}

/** One step: each inner cell given adds one, or takes one where it is ~cell. */
const walk = (times: number, ...changes: number[]): Int32Array => Int32Array.of(1, times, changes.length, ...changes.map((i) => (i < 0 ? 2 * ~i + 1 : 2 * i)));

describe("tables that agree", () => {
  test("the move of two by two proves as many values as there are people to move", () => {
    const proof = new Alternatives(square([1, 5, 5, 9], 5));
    expect(proof.baseAgrees()).toBe(true);
    expect(proof.take(walk(4, 0, 3, ~1, ~2))).toBe(true);
    expect([...proof.safe]).toEqual([1, 1, 1, 1, 0, 0, 0, 0, 0]);
  });

  test("a walk in steps counts the sums met on the way", () => {
    const steps = Int32Array.of(2, ...walk(1, 0, 3, ~1, ~2).subarray(1), ...walk(1, 0, 3, ~1, ~2).subarray(1));
    const three = new Alternatives(square([1, 5, 5, 9], 3));
    expect(three.take(steps)).toBe(true);
    expect(three.safe[0]).toBe(1);
    const four = new Alternatives(square([1, 5, 5, 9], 4));
    expect(four.take(steps)).toBe(true);
    expect(four.safe[0]).toBe(0);
  });

  test.each([
    ["one step fewer than the interval asks for", [1, 5, 5, 9], walk(3, 0, 3, ~1, ~2), true],
    ["a step that leaves nobody in a blank cell", [1, 4, 5, 9], walk(4, 0, 3, ~1, ~2), false],
    ["a step that changes a shown total", [1, 5, 5, 9], walk(4, 0, ~1), false],
    ["a step that changes nothing", [1, 5, 5, 9], walk(4, 0, ~0), true],
    ["a walk cut short", [1, 5, 5, 9], walk(4, 0, 3, ~1, ~2).subarray(0, 5), false],
    ["an inner cell that there is not", [1, 5, 5, 9], walk(4, 0, 4), false],
    ["no steps", [1, 5, 5, 9], Int32Array.of(0), false],
    ["a step taken many times among others", [1, 5, 5, 9], Int32Array.of(2, 4, 4, 0, 6, 3, 5, 1, 4, 0, 6, 3, 5), false],
  ] as const)("%s proves nothing", (_, base, walks, agrees) => {
    const proof = new Alternatives(square(base, 5));
    expect(proof.take(walks)).toBe(agrees);
    expect([...proof.safe]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0]);
  });

  test("a shown inner cell stays as it is", () => {
    const proof = new Alternatives(square([1, 5, 5, 9], 5, [0, 1, 2]));
    expect(proof.take(walk(4, 0, 3, ~1, ~2))).toBe(false);
  });

  test("a base table that does not add up, or has nobody somewhere, is no base", () => {
    const input = square([1, 5, 5, 9], 5);
    expect(new Alternatives({ ...input, base: Float64Array.of(2, 5, 5, 9) }).baseAgrees()).toBe(false);
    expect(new Alternatives({ ...input, base: Float64Array.of(0, 6, 6, 8) }).baseAgrees()).toBe(false);
    expect(new Alternatives({ ...input, base: Float64Array.of(2, 4, 4, 10) }).baseAgrees()).toBe(true);
    expect(new Alternatives({ ...input, base: Float64Array.of(1.5, 4.5, 4.5, 9.5) }).baseAgrees()).toBe(false);
  });

  test("a blank cell of as many known inner cells as the threshold is certain to be no small count", () => {
    const input = { ...square([1, 5, 5, 9], 5, [0, 1, 2, 3, 4, 8]), harmlessFrom: 4 };
    const proof = new Alternatives(input);
    expect(proof.baseAgrees()).toBe(true);
    expect([...proof.safe]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 1]);
  });
});
