import { bench, describe } from "vitest";
import type { Cells } from "../src/cells/cells.ts";
import { DictionaryBuilder } from "../src/columns/index.ts";
import type { BoundHierarchy } from "../src/hierarchies/hierarchy.ts";
import { auditTables } from "../src/tables/audit/index.ts";
import { suppressByHypercubes } from "../src/tables/hypercube/index.ts";
import { planSmallCells, primaryCells, suppress } from "../src/tables/small-cells/index.ts";
import { tabulate } from "../src/tables/tabulate/index.ts";

/** Areas in districts of 10 in regions of 100, by 4 groups by 5 ages; about 4 % of the cells are small. BENCH_FULL=1 adds 10^6 cells. */
const AREAS = process.env.BENCH_FULL === "1" ? [30, 300, 3000, 30_000] : [30, 300, 3000];

function synthetic(areas: number): { cells: Cells; hierarchies: Map<string, Pick<BoundHierarchy, "levels">> } {
  let state = 12345;
  const random = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  const codes: number[][] = [[], [], []];
  const records: number[] = [];
  for (let area = 0; area < areas; area++) {
    const size = 230 * (0.3 + 4 * random() ** 3);
    for (let group = 0; group < 4; group++) {
      for (let age = 0; age < 5; age++) {
        const count = Math.floor((size * (0.2 + random())) / (1 + group));
        if (count === 0) continue;
        [area, group, age].forEach((code, k) => codes[k]!.push(code));
        records.push(count);
      }
    }
  }
  const flat = (size: number) => {
    const dictionary = DictionaryBuilder.from(Array.from({ length: size }, (_, code) => String(code).padStart(6, "0"))).freeze();
    return { map: Int32Array.from({ length: size }, (_, code) => code), dictionary, share: new Float64Array(size) };
  };
  const inGroupsOf = (by: number) => ({
    ...flat(Math.ceil(areas / by)),
    map: Int32Array.from({ length: areas }, (_, area) => Math.floor(area / by)),
  });
  return {
    cells: {
      keys: ["area", "group", "age"],
      sizes: [areas, 4, 5],
      size: records.length,
      codes: codes.map((column) => Int32Array.from(column)),
      records: Float64Array.from(records),
      measures: [],
    },
    hierarchies: new Map([
      ["area", { levels: [flat(areas), inGroupsOf(10), inGroupsOf(100)] }],
      ["group", { levels: [flat(4)] }],
      ["age", { levels: [flat(5)] }],
    ]),
  };
}

const PURE = { threshold: 11, zeros: "publish", jointSums: "ignore", singletons: "ignore" } as const;
const once = { iterations: 1, warmupIterations: 0, time: 0, warmupTime: 0 };

for (const areas of AREAS) {
  const { cells, hierarchies } = synthetic(areas);
  const dimensions = [{ column: "area", levels: [0, 1, 2] }, { column: "group" }, { column: "age" }];
  const system = tabulate(cells, hierarchies, [{ name: "t", dimensions, margins: "all" }], { zeros: "publish", emptyCells: "omit" });
  const primary = primaryCells(system, PURE.threshold, "publish");
  const hidden = (interval: number) => suppress(system, { ...PURE, interval }).filter((state) => state !== 0).length;
  describe(`${system.cells} published cells, hidden: ${hidden(1)} at interval 1, ${hidden(2)} at 2, ${hidden(5)} at 5`, () => {
    bench("elimination, interval 1", () => void suppress(system, PURE), once);
    bench("elimination, interval 5", () => void suppress(system, { ...PURE, interval: 5 }), once);
    bench("hypercubes, interval 5", () => void suppressByHypercubes(system, { primary, interval: 5 }), once);
    bench("plan with audit, interval 5", async () => void (await planSmallCells(system, { ...PURE, interval: 5 }, auditTables)), once);
  });
}
