/** What rounding leaves open, by counting: the figures of the method's README. */
import { describe, expect, test } from "vitest";
import { nearestMultiple } from "../../../src/tables/rounding/scalar.ts";

/** What a count may be shown as, with its probability. */
type Law = (count: number) => readonly (readonly [shown: number, probability: number])[];

const nearest = (base: number): Law => (count) => [[nearestMultiple(count, base, "up"), 1]];
const random = (base: number): Law => (count) => {
  const remainder = count % base;
  if (remainder === 0) return [[count, 1]];
  return [[count - remainder, (base - remainder) / base], [count - remainder + base, remainder / base]];
};

const LARGEST = 14;

/**
 * Parts and their total, each rounded on its own: over parts from 0 to 14, equally likely, the probability that what is shown
 * leaves some part a single value. The attacker does not know that 14 is the largest.
 */
function pinned(law: Law, parts: number, reach: number): number {
  const most = LARGEST + reach;
  const views = new Map<string, { mass: number; readonly seen: Set<number>[] }>();
  const tables = (most + 1) ** parts;
  for (let code = 0; code < tables; code++) {
    const counts = Array.from({ length: parts }, (_, k) => Math.floor(code / (most + 1) ** k) % (most + 1));
    const isDrawn = counts.every((count) => count <= LARGEST);
    let shown: (readonly [text: string, mass: number])[] = [["", isDrawn ? (LARGEST + 1) ** -parts : 0]];
    for (const count of [...counts, counts.reduce((sum, own) => sum + own, 0)]) {
      shown = shown.flatMap(([text, mass]) => law(count).map(([value, p]) => [`${text},${value}`, mass * p] as const));
    }
    for (const [text, mass] of shown) {
      const view = views.get(text) ?? { mass: 0, seen: counts.map(() => new Set<number>()) };
      view.mass += mass;
      counts.forEach((count, k) => view.seen[k]!.add(count));
      views.set(text, view);
    }
  }
  let probability = 0;
  for (const { mass, seen } of views.values()) if (seen.some((values) => values.size === 1)) probability += mass;
  return probability;
}

describe("totals that are rounded on their own give single counts away", () => {
  test("two cells shown as 0 with a total shown as 3 are 1 and 1, to the nearest 3", () => {
    const fits: string[] = [];
    for (let x = 0; x < 9; x++) for (let y = 0; y < 9; y++) {
      if ([x, y, x + y].map((count) => nearestMultiple(count, 3, "up")).join() === "0,0,3") fits.push(`${x},${y}`);
    }
    expect(fits).toEqual(["1,1"]);
  });

  test.each([
    { name: "nearest 3", law: nearest(3), base: 3, two: 2 / 9, three: 1 / 45 },
    { name: "nearest 5", law: nearest(5), base: 5, two: 0, three: 0 },
    { name: "nearest 10", law: nearest(10), base: 10, two: 0, three: 0 },
    { name: "random 3", law: random(3), base: 3, two: 2 / 243, three: 1 / 1215 },
    { name: "random 5", law: random(5), base: 5, two: 0, three: 0 },
  ])("$name: probability that a part is pinned", ({ law, base, two, three }) => {
    expect(pinned(law, 2, base)).toBeCloseTo(two, 10);
    expect(pinned(law, 3, base)).toBeCloseTo(three, 10);
  });

  test("to the nearest 5 it takes four parts: all shown as 0 with a total shown as 10 are 2, 2, 2, 2", () => {
    let fits = 0;
    for (let code = 0; code < 4 ** 4; code++) {
      const counts = [0, 1, 2, 3].map((k) => (code >> (2 * k)) & 3);
      const total = counts.reduce((sum, count) => sum + count, 0);
      if (counts.every((count) => nearestMultiple(count, 5, "up") === 0) && nearestMultiple(total, 5, "up") === 10) fits++;
    }
    expect(fits).toBe(1);
  });
});
