/**
 * A sparse cube of 8 dimensions with all 256 margins: tabulate, choose what to show, prove the rest hidden, check the proof.
 * BENCH_FULL=1 takes up to 650,000 records, 110 million possible cells.
 */
import { bench, describe } from "vitest";
import type { Cells } from "../src/cells/cells.ts";
import { DictionaryBuilder } from "../src/columns/index.ts";
import type { BoundHierarchy } from "../src/hierarchies/hierarchy.ts";
import { Alternatives } from "../src/tables/audit/alternatives.ts";
import { suppressSparsely } from "../src/tables/sparse-suppression/index.ts";
import { tabulate } from "../src/tables/tabulate/index.ts";

const SIZES = [24, 19, 10, 9, 7, 5, 5, 6];
const RECORDS = process.env.BENCH_FULL === "1" ? [20_000, 60_000, 200_000, 650_000] : [5_000, 20_000];

/** Categories of unequal size: the share of the first k of n is (k / n) to the power 0.4, in each dimension by itself. */
function cube(records: number): { cells: Cells; hierarchies: Map<string, Pick<BoundHierarchy, "levels">> } {
  let state = 777;
  const random = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  const seen = new Map<number, number>();
  for (let i = 0; i < records; i++) {
    let at = 0;
    for (const size of SIZES) at = at * size + Math.floor(size * random() ** 2.5);
    seen.set(at, (seen.get(at) ?? 0) + 1);
  }
  const codes = SIZES.map(() => new Int32Array(seen.size));
  const counts = new Float64Array(seen.size);
  let cell = 0;
  for (const [at, count] of seen) {
    let rest = at;
    for (let k = SIZES.length - 1; k >= 0; k--) {
      codes[k]![cell] = rest % SIZES[k]!;
      rest = Math.floor(rest / SIZES[k]!);
    }
    counts[cell++] = count;
  }
  const keys = SIZES.map((_, k) => `d${k}`);
  return {
    cells: { keys, sizes: SIZES, size: seen.size, codes, records: counts, measures: [] },
    hierarchies: new Map(keys.map((key, k) => {
      const size = SIZES[k]!;
      const dictionary = DictionaryBuilder.from(Array.from({ length: size }, (_, code) => String(code).padStart(3, "0"))).freeze();
      return [key, { levels: [{ map: Int32Array.from({ length: size }, (_, code) => code), dictionary, share: new Float64Array(size) }] }];
    })),
  };
}

const once = { iterations: 1, warmupIterations: 0, time: 0, warmupTime: 0 };

describe.each(RECORDS)("%d records", (records) => {
  bench(`sparse cube of 8 dimensions`, () => {
    const { cells, hierarchies } = cube(records);
    const lap = stopwatch();
    const dimensions = cells.keys.map((column) => ({ column }));
    const system = tabulate(cells, hierarchies, [{ name: "cube", dimensions, margins: "all" }], { zeros: "publish", emptyCells: "omit" });
    const tabulated = lap();
    const { shown, walks, proof } = suppressSparsely(system, { threshold: 11, interval: 5 }, (input) => new Alternatives(input));
    const planned = lap();
    const check = new Alternatives(proof);
    if (!check.baseAgrees() || !check.take(walks)) throw new Error("The proof does not hold.");
    for (let c = 0; c < system.cells; c++) if (shown[c] === 0 && check.safe[c] === 0) throw new Error("A hidden cell is not proven.");
    console.log(
      `${records} records, ${system.inner} inner cells, ${system.cells} occupied of 110,880,000; shown ${shown.reduce((sum, own) => sum + own, 0)}; ` +
        `CPU seconds: tabulate ${tabulated}, plan ${planned}, check ${lap()}; peak ${Math.round(process.resourceUsage().maxRSS / 1024)} MB`,
    );
  }, once);
});

function stopwatch(): () => number {
  let last = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(last);
    last = process.cpuUsage();
    return Math.round((user + system) / 1e5) / 10;
  };
}
