/**
 * Whole numbers near shares x total that sum to the total and, if possible, weigh the noises to a mean of exactly 0: largest
 * remainders first, then single slots are moved between two noises, the least harmful move first.
 */
export function wholeShares(noises: readonly number[], shares: readonly number[], total: number): number[] {
  const sum = shares.reduce((all, share) => all + share, 0);
  const wanted = shares.map((share) => (share / sum) * total);
  const widths = wanted.map(Math.floor);
  const order = wanted.map((_, k) => k).sort((a, b) => wanted[b]! - widths[b]! - (wanted[a]! - widths[a]!) || a - b);
  let left = total - widths.reduce((all, width) => all + width, 0);
  for (let k = 0; left > 0; k = (k + 1) % order.length, left--) widths[order[k]!]!++;

  let weight = widths.reduce((all, width, k) => all + width * noises[k]!, 0);
  while (weight !== 0) {
    let best: { from: number; to: number; cost: number } | undefined;
    for (let from = 0; from < noises.length; from++) {
      if (widths[from]! < 1) continue;
      for (let to = 0; to < noises.length; to++) {
        const after = weight + noises[to]! - noises[from]!;
        if (Math.abs(after) >= Math.abs(weight)) continue;
        const cost = wanted[from]! - widths[from]! + (widths[to]! - wanted[to]!) + Math.abs(after) * 4;
        if (best === undefined || cost < best.cost) best = { from, to, cost };
      }
    }
    if (best === undefined) break;
    widths[best.from]!--;
    widths[best.to]!++;
    weight += noises[best.to]! - noises[best.from]!;
  }
  return widths;
}
