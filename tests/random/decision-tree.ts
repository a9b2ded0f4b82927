import type { UniformInts } from "../../src/random/index.ts";

/**
 * The law of a sampler without drawing: follow every way its random choices can fall, most likely first, and add up the
 * probability of each result. What is left unexplored bounds the error of every sum.
 *
 * Rejection samplers begin each attempt with the one call of `below` they make. A second call means that the attempt was
 * given up and the next begins from nothing, so the path ends there; the law is that of one attempt that succeeds.
 */
export function explore(
  sample: (ints: UniformInts) => number,
  stopBelow: number,
  maxPaths: number,
): { succeeded: Map<number, number>; unexplored: number } {
  class Undecided {
    constructor(readonly weights: readonly number[]) {}
  }
  class SecondAttempt {}
  let script: readonly number[] = [];
  let attempts = 0;
  let at = 0;
  const choose = (weights: () => readonly number[]): number => {
    if (at === script.length) throw new Undecided(weights());
    return script[at++]!;
  };
  const chance = (p: number): boolean => (p === 0 || p === 1 ? p === 1 : choose(() => [1 - p, p]) === 1);
  const ints: UniformInts = {
    below(n) {
      if (++attempts === 2) throw new SecondAttempt();
      return n === 1 ? 0 : choose(() => Array.from({ length: n }, () => 1 / n));
    },
    belowBig: (n) => BigInt(ints.below(Number(n))),
    chance: (numerator, denominator) => chance(numerator / denominator),
    chanceBig: (numerator, denominator) => chance(Number(numerator) / Number(denominator)),
  };
  const succeeded = new Map<number, number>();
  // Paths by rounded log2 of their probability: a queue that is near enough to most likely first.
  const queues: { script: readonly number[]; mass: number }[][] = [[{ script: [], mass: 1 }]];
  let unexplored = 1;
  let level = 0;
  for (let paths = 0; paths < maxPaths && unexplored > stopBelow; paths++) {
    while (level < queues.length && !queues[level]?.length) level++;
    const path = queues[level]?.pop();
    if (path === undefined) break;
    script = path.script;
    at = 0;
    attempts = 0;
    try {
      const value = sample(ints);
      succeeded.set(value, (succeeded.get(value) ?? 0) + path.mass);
      unexplored -= path.mass;
    } catch (undecided) {
      if (undecided instanceof SecondAttempt) {
        unexplored -= path.mass;
        continue;
      }
      if (!(undecided instanceof Undecided)) throw undecided;
      undecided.weights.forEach((weight, choice) => {
        const mass = path.mass * weight;
        const queue = Math.max(level, Math.floor(-4 * Math.log2(mass)));
        (queues[queue] ??= []).push({ script: [...script, choice], mass });
      });
    }
  }
  return { succeeded, unexplored };
}
