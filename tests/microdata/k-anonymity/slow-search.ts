import type { MetricOptions } from "../../../src/utility/index.ts";
import type { SmallTable } from "./small-tables.ts";

export interface SlowResult {
  readonly levels: readonly number[];
  /** Components as they are compared. */
  readonly loss: readonly number[];
  readonly suppressed: number;
  readonly classes: number;
  readonly smallestClass: number;
}

/**
 * Every generalization of a small table by its definition: rows recoded as text, classes counted in a Map, losses summed
 * record by record. Best first, in the documented order.
 */
export function slowSearch(table: SmallTable, k: number, allowed: number, options: MetricOptions): SlowResult[] {
  const heights = table.trees.map((lines) => lines[0]!.length - 1);
  const results: SlowResult[] = [];
  const levels = heights.map(() => 0);
  for (;;) {
    const node = slowNode(table, levels, k, options);
    if (node.suppressed <= allowed) results.push(node);
    let key = heights.length - 1;
    while (key >= 0 && levels[key] === heights[key]) levels[key--] = 0;
    if (key < 0) break;
    levels[key]!++;
  }
  return results.sort(compare);
}

function slowNode({ trees, rows }: SmallTable, levels: readonly number[], k: number, options: MetricOptions): SlowResult {
  const keys = trees.length;
  const n = rows.length;
  const at = (row: readonly (string | null)[], key: number, level = levels[key]!): string =>
    row[key] === null ? "null" : `=${trees[key]!.find((line) => line[0] === row[key])![level]!}`;
  const classOf = rows.map((row) => JSON.stringify(row.map((_, key) => at(row, key))));
  const size = tally(classOf);
  const kept = rows.map((_, i) => size.get(classOf[i]!)! >= k);
  const keptSizes = [...size.values()].filter((each) => each >= k);
  const suppressed = kept.filter((each) => !each).length;

  const weight = options.generalizationWeight ?? 0.5;
  const g = weight <= 0.5 ? 1 : 2 - 2 * weight;
  const s = weight < 0.5 ? 2 * weight : 1;
  const sum = (of: (i: number) => number): number => rows.reduce((total, _, i) => total + of(i), 0);
  const perKey = (of: (key: number) => number): number[] => trees.map((_, key) => of(key));
  const height = (key: number): number => Math.max(1, trees[key]![0]!.length - 1);
  const columnEntropy = (key: number): number => {
    const fine = tally(rows.map((row) => at(row, key, 0)));
    const coarse = tally(rows.map((row) => at(row, key)));
    return sum((i) => Math.log2(coarse.get(at(rows[i]!, key))! / fine.get(at(rows[i]!, key, 0))!));
  };
  const suppressedEntropy = (key: number): number => {
    const among = tally(rows.filter((_, i) => !kept[i]).map((row) => at(row, key)));
    return sum((i) => (kept[i] ? 0 : Math.log2(suppressed / among.get(at(rows[i]!, key))!)));
  };

  let loss: number[];
  switch (options.metric) {
    case "loss": {
      const losses = perKey((key) => {
        const leaves = trees[key]!.length;
        const share = (i: number): number => {
          if (rows[i]![key] === null) return 1 / leaves;
          return trees[key]!.filter((line) => `=${line[levels[key]!]}` === at(rows[i]!, key)).length / leaves;
        };
        const paid = sum((i) => (kept[i] ? g * share(i) : share(i) + s * (1 - share(i))));
        const least = (g * n) / leaves;
        return n - least > 0 ? Math.max(0, (paid - least) / (n - least)) : 0;
      });
      const aggregate = options.aggregate ?? "geometric-mean";
      if (aggregate === "rank") loss = losses.toSorted((a, b) => b - a);
      else if (aggregate === "max") loss = [Math.max(...losses)];
      else if (aggregate === "sum") loss = [losses.reduce((a, b) => a + b, 0)];
      else if (aggregate === "arithmetic-mean") loss = [losses.reduce((a, b) => a + b, 0) / keys];
      else loss = [losses.reduce((a, b) => a * (1 + b), 1) ** (1 / keys) - 1];
      break;
    }
    case "entropy":
      loss = [perKey(columnEntropy).reduce((a, b) => a + b, 0)];
      break;
    case "entropy-non-monotone":
      loss = [perKey((key) => g * columnEntropy(key) + s * suppressedEntropy(key)).reduce((a, b) => a + b, 0)];
      break;
    case "discernibility":
      loss = [sum((i) => (kept[i] ? size.get(classOf[i]!)! : n))];
      break;
    case "discernibility-star":
      loss = [sum((i) => size.get(classOf[i]!)!)];
      break;
    case "average-class-size": {
      const classes = keptSizes.length + (suppressed > 0 ? 1 : 0);
      loss = [classes === 0 ? 0 : n / classes];
      break;
    }
    case "precision":
      loss = [perKey((key) => levels[key]! / height(key)).reduce((a, b) => a + b, 0) / keys];
      break;
    case "precision-non-monotone":
      loss = n === 0
        ? [perKey((key) => levels[key]! / height(key)).reduce((a, b) => a + b, 0) / keys]
        : [perKey((key) => sum((i) => (kept[i] ? (g * levels[key]!) / height(key) : s)) / n).reduce((a, b) => a + b, 0) / keys];
      break;
    case "height":
      loss = [levels.reduce((a, b) => a + b, 0)];
      break;
  }
  return {
    levels: [...levels], loss, suppressed,
    classes: keptSizes.length, smallestClass: keptSizes.length === 0 ? 0 : Math.min(...keptSizes),
  };
}

/** Equal to 9 digits here: the slow sums differ from the fast ones in their last bits, and distinct losses of tables this small by more. */
function compare(a: SlowResult, b: SlowResult): number {
  for (let i = 0; i < a.loss.length; i++) if (!close(a.loss[i]!, b.loss[i]!)) return a.loss[i]! - b.loss[i]!;
  const height = (result: SlowResult): number => result.levels.reduce((sum, level) => sum + level, 0);
  if (a.suppressed !== b.suppressed) return a.suppressed - b.suppressed;
  if (height(a) !== height(b)) return height(a) - height(b);
  for (let key = 0; key < a.levels.length; key++) if (a.levels[key] !== b.levels[key]) return a.levels[key]! - b.levels[key]!;
  return 0;
}

export function close(a: number, b: number): boolean {
  return Math.abs(a - b) <= 1e-9 * Math.max(1e-3, Math.abs(a), Math.abs(b));
}

function tally(values: readonly string[]): Map<string, number> {
  const count = new Map<string, number>();
  for (const value of values) count.set(value, (count.get(value) ?? 0) + 1);
  return count;
}
