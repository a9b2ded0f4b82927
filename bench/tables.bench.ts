import { bench, describe } from "vitest";
import { DictionaryBuilder } from "../src/columns/index.ts";
import type { Cells } from "../src/cells/cells.ts";
import type { BoundHierarchy } from "../src/hierarchies/hierarchy.ts";
import { auditTables } from "../src/tables/audit/index.ts";
import { attackersView, suppress } from "../src/tables/small-cells/index.ts";
import { tabulate } from "../src/tables/tabulate/index.ts";

/** Growth of tabulation, elimination and audit with the number of published cells. BENCH_FULL=1 adds 10^5 cells. */
const full = process.env.BENCH_FULL === "1";
const AREAS = full ? [30, 300, 3000] : [30, 300];

/** Areas in regions of 10, by 4 groups by 4 ages; skewed counts, about a third of them below 11. Seeded. */
function synthetic(areas: number): { cells: Cells; hierarchies: Map<string, Pick<BoundHierarchy, "levels">> } {
  let state = 12345;
  const random = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  const codes = [[], [], []] as number[][];
  const records: number[] = [];
  for (let area = 0; area < areas; area++) {
    const size = 20 + 400 * random() ** 3;
    for (let group = 0; group < 4; group++) {
      for (let age = 0; age < 4; age++) {
        const count = Math.floor((size * (0.2 + random())) / (1 + group * group));
        if (count === 0) continue;
        [area, group, age].forEach((code, k) => codes[k]!.push(code));
        records.push(count);
      }
    }
  }
  const flat = (size: number) => {
    const dictionary = DictionaryBuilder.from(Array.from({ length: size }, (_, code) => String(code).padStart(5, "0"))).freeze();
    return { map: Int32Array.from({ length: size }, (_, code) => code), dictionary, share: new Float64Array(size) };
  };
  const regions = flat(Math.ceil(areas / 10));
  const region = { ...regions, map: Int32Array.from({ length: areas }, (_, area) => Math.floor(area / 10)) };
  return {
    cells: {
      keys: ["area", "group", "age"],
      sizes: [areas, 4, 4],
      size: records.length,
      codes: codes.map((column) => Int32Array.from(column)),
      records: Float64Array.from(records),
      measures: [],
    },
    hierarchies: new Map([
      ["area", { levels: [flat(areas), region] }],
      ["group", { levels: [flat(4)] }],
      ["age", { levels: [flat(4)] }],
    ]),
  };
}

const RULE = { threshold: 11, zeros: "publish", jointSums: "ignore", singletons: "ignore" } as const;
const once = { iterations: 3, warmupIterations: 0, time: 0, warmupTime: 0 };

for (const areas of AREAS) {
  const { cells, hierarchies } = synthetic(areas);
  const dimensions = [{ column: "area", levels: [0, 1] }, { column: "group" }, { column: "age" }];
  const build = () => tabulate(cells, hierarchies, [{ name: "t", dimensions, margins: "all" }], { zeros: "publish" });
  const system = build();
  const pattern = suppress(system, RULE);
  const hidden = pattern.filter((state) => state !== 0).length;
  describe(`${system.tables[0]!.rows} published cells, ${hidden} hidden`, () => {
    bench("tabulate", () => void build(), once);
    bench("elimination", () => void suppress(system, RULE), once);
    bench("audit", async () => void (await auditTables(attackersView(system, pattern, RULE, "merged"), { interval: 2 })), once);
  });
}
