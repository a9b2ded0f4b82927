import type { Rounding } from "./schema.ts";

/** Counts below this are shown as "<15". */
export const DRB_FLOOR = 15;

/** Nearest multiple of the base to a whole number >= 0; ties as asked. Exact below 2^53 - base. */
export function nearestMultiple(count: number, base: number, half: "up" | "even"): number {
  const remainder = count % base;
  const down = count - remainder;
  if (2 * remainder < base) return down;
  if (2 * remainder > base || half === "up") return down + base;
  return (down / base) % 2 === 0 ? down : down + base;
}

/** Middle of the step 1 .. base, base + 1 .. 2 base, ... that holds the count; 0 stays 0. */
export function midpoint(count: number, base: number): number {
  return count === 0 ? 0 : Math.ceil(count / base) * base - Math.floor(base / 2);
}

/**
 * Step of the ladder at a count of at least 15.
 * Source: rounding rules of the US Census Bureau's disclosure review board for counts, as of September 2019.
 */
export function drbStep(count: number): number {
  if (count < 100) return 10;
  if (count < 1_000) return 50;
  if (count < 10_000) return 100;
  if (count < 100_000) return 500;
  if (count < 1_000_000) return 1_000;
  let step = 1_000;
  for (let rest = count; rest >= 10_000_000; rest = Math.floor(rest / 10)) step *= 10;
  return step;
}

/** Published number of the ladder, half-way cases to even; 0 stands for "<15". */
export function drbRounded(count: number): number {
  return count < DRB_FLOOR ? 0 : nearestMultiple(count, drbStep(count), "even");
}

/**
 * What a count becomes where neither chance nor other cells matter. A negative difference of counts mirrors the
 * positive one.
 */
export function roundedAlone(count: number, options: Extract<Rounding, { kind: "deterministic" | "midpoint" | "drb" }>): number {
  if (count < 0) return 0 - roundedAlone(-count, options);
  if (options.kind === "deterministic") return nearestMultiple(count, options.base, options.half);
  if (options.kind === "midpoint") return midpoint(count, options.base);
  return drbRounded(count);
}

/** Largest distance between a published number and the count behind it. */
export function farthest(published: number, options: Rounding): number {
  switch (options.kind) {
    case "deterministic":
    case "midpoint":
      return Math.floor(options.base / 2);
    case "random":
      return options.base - 1;
    case "controlled":
      return options.fallback === "fail" ? options.base - 1 : 2 * options.base - 1;
    case "drb":
      return published === 0 ? DRB_FLOOR - 1 : drbStep(Math.abs(published)) / 2;
  }
}
