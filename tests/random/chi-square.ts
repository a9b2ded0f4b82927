/** Goodness of fit for the sampler tests. */

/** A test at this level rejects a correct sampler for one seed in a million. The seeds are fixed, so a run never flickers. */
export const FALSE_ALARM = 1e-6;

/** True when the counts do not fit the law at level FALSE_ALARM. Values are pooled; see `pValue`. */
export function rejects(counts: ReadonlyMap<number, number>, pmf: (x: number) => number, from: number, to: number): boolean {
  return pValue(counts, pmf, from, to) < FALSE_ALARM;
}

/** Values are pooled until each pool expects 10 draws, and for wide laws 1/200 of all: few pools keep the test sharp. */
export function pValue(counts: ReadonlyMap<number, number>, pmf: (x: number) => number, from: number, to: number): number {
  let draws = 0;
  for (const n of counts.values()) draws += n;
  const enough = to - from > 400 ? Math.max(10, draws / 200) : 10;
  const pools: { observed: number; expected: number }[] = [];
  let pool = { observed: 0, expected: 0 };
  let observedInside = 0;
  let expectedInside = 0;
  for (let x = from; x <= to; x++) {
    const observed = counts.get(x) ?? 0;
    const expected = draws * pmf(x);
    observedInside += observed;
    expectedInside += expected;
    pool.observed += observed;
    pool.expected += expected;
    if (pool.expected >= enough) {
      pools.push(pool);
      pool = { observed: 0, expected: 0 };
    }
  }
  if (pools.length < 2) throw new Error("Too few draws for this test: it would accept anything.");
  // The last pool takes what is left, within from .. to and beyond.
  const last = pools.at(-1)!;
  last.observed += pool.observed + draws - observedInside;
  last.expected += pool.expected + Math.max(0, draws - expectedInside);
  let statistic = 0;
  for (const { observed, expected } of pools) statistic += (observed - expected) ** 2 / expected;
  return upperGamma((pools.length - 1) / 2, statistic / 2);
}

/** Regularised upper incomplete gamma Q(a, x): series below a + 1, Lentz's continued fraction above. */
export function upperGamma(a: number, x: number): number {
  if (x <= 0) return 1;
  const front = Math.exp(a * Math.log(x) - x - logGamma(a));
  if (x < a + 1) {
    let term = 1 / a;
    let sum = term;
    for (let n = 1; n < 10_000 && Math.abs(term) > Math.abs(sum) * 1e-16; n++) {
      term *= x / (a + n);
      sum += term;
    }
    return 1 - front * sum;
  }
  let b = x + 1 - a;
  let c = 1e300;
  let d = 1 / b;
  let h = d;
  for (let n = 1; n < 10_000; n++) {
    const an = -n * (n - a);
    b += 2;
    d = 1 / (an * d + b);
    c = b + an / c;
    const change = c * d;
    h *= change;
    if (Math.abs(change - 1) < 1e-15) break;
  }
  return front * h;
}

/** ln Gamma by Stirling's series after shifting the argument up. */
function logGamma(a: number): number {
  let shift = 0;
  let x = a;
  while (x < 12) shift += Math.log(x++);
  const inverse = 1 / (x * x);
  return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + (1 / 12 - inverse * (1 / 360 - inverse / 1260)) / x - shift;
}

export function tally(draws: number, draw: () => number): Map<number, number> {
  const counts = new Map<number, number>();
  for (let i = 0; i < draws; i++) {
    const x = draw();
    counts.set(x, (counts.get(x) ?? 0) + 1);
  }
  return counts;
}

export function laplacePmf(scale: number): (x: number) => number {
  const q = Math.exp(-1 / scale);
  return (x) => ((1 - q) / (1 + q)) * q ** Math.abs(x);
}

export function gaussianPmf(sigmaSquared: number): (x: number) => number {
  let total = 1;
  for (let x = 1; x < 40 * Math.sqrt(sigmaSquared) + 10; x++) total += 2 * Math.exp((-x * x) / (2 * sigmaSquared));
  return (x) => Math.exp((-x * x) / (2 * sigmaSquared)) / total;
}
