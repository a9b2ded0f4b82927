import { afterAll, bench, describe } from "vitest";
import type { Cells } from "../src/cells/cells.ts";
import { DictionaryBuilder } from "../src/columns/index.ts";
import type { BoundHierarchy } from "../src/hierarchies/hierarchy.ts";
import { rehearsalBits } from "../src/random/rehearsal-bits.ts";
import { rounding } from "../src/tables/rounding/index.ts";
import { Rounding } from "../src/tables/rounding/schema.ts";
import { smallCountRounding } from "../src/tables/small-count-rounding/index.ts";
import { SmallCountRounding } from "../src/tables/small-count-rounding/schema.ts";
import { tabularAdjustment } from "../src/tables/tabular-adjustment/index.ts";
import { TabularAdjustment } from "../src/tables/tabular-adjustment/schema.ts";
import { tabulate } from "../src/tables/tabulate/index.ts";

/**
 * Growth of the methods that round or adjust counts, from 10^3 to 10^5 inner cells: areas in regions of 10 by 4 groups by 4 ages,
 * all margins. The solver's methods take the sizes they are for.
 */
const AREAS = [63, 630, 6300];
/** Inner cells up to which the integer programs are run. */
const SOLVER_LIMIT = 1_100;
let sink = 0; // printed below, so no engine may drop the work

function synthetic(areas: number): { cells: Cells; hierarchies: Map<string, Pick<BoundHierarchy, "levels">> } {
  let state = 12345;
  const random = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  const codes = [[], [], []] as number[][];
  const records: number[] = [];
  for (let area = 0; area < areas; area++) {
    const size = 8 + 200 * random() ** 3;
    for (let group = 0; group < 4; group++) {
      for (let age = 0; age < 4; age++) {
        [area, group, age].forEach((code, k) => codes[k]!.push(code));
        records.push(1 + Math.floor((size * (0.2 + random())) / (1 + group * group)));
      }
    }
  }
  const flat = (size: number) => {
    const dictionary = DictionaryBuilder.from(Array.from({ length: size }, (_, code) => String(code).padStart(5, "0"))).freeze();
    return { map: Int32Array.from({ length: size }, (_, code) => code), dictionary, share: new Float64Array(size) };
  };
  const region = { ...flat(Math.ceil(areas / 10)), map: Int32Array.from({ length: areas }, (_, area) => Math.floor(area / 10)) };
  return {
    cells: {
      keys: ["area", "group", "age"],
      sizes: [areas, 4, 4],
      size: records.length,
      codes: codes.map((column) => Int32Array.from(column)),
      records: Float64Array.from(records),
      measures: [],
    },
    hierarchies: new Map([["area", { levels: [flat(areas), region] }], ["group", { levels: [flat(4)] }], ["age", { levels: [flat(4)] }]]),
  };
}

const once = { iterations: 3, warmupIterations: 0, time: 0, warmupTime: 0 };
const nearest = Rounding.parse({ method: "rounding", kind: "deterministic", base: 5 });
const random = Rounding.parse({ method: "rounding", kind: "random", base: 5, repeat: "fresh" });
const controlled = Rounding.parse({ method: "rounding", kind: "controlled", base: 5 });
const small = SmallCountRounding.parse({ method: "small-count-rounding", base: 5 });
const adjusted = TabularAdjustment.parse({ method: "tabular-adjustment", threshold: 5 });

for (const areas of AREAS) {
  const { cells, hierarchies } = synthetic(areas);
  const dimensions = [{ column: "area", levels: [0, 1] }, { column: "group" }, { column: "age" }];
  const system = tabulate(cells, hierarchies, [{ name: "t", dimensions, margins: "all" }], { zeros: "publish" });
  const input = { system, random: rehearsalBits(1) };
  describe(`${system.inner} inner, ${system.cells} published cells, ${system.count.filter((count) => count < 5).length} below 5`, () => {
    bench("deterministic", async () => { sink += (await rounding.perturb(input, nearest))[0]!; }, once);
    bench("random", async () => { sink += (await rounding.perturb(input, random))[0]!; }, once);
    bench("small count rounding", async () => { sink += (await smallCountRounding.perturb(input, small))[0]!; }, once);
    bench("check of small count rounding", () => { sink += smallCountRounding.check({ ...input.system, values: system.count }, small).length; }, once);
    if (system.inner > SOLVER_LIMIT) return;
    bench("controlled rounding", async () => { sink += (await rounding.perturb(input, controlled))[0]!; }, once);
    bench("tabular adjustment", async () => { sink += (await tabularAdjustment.perturb(input, adjusted))[0]!; }, once);
  });
}
afterAll(() => console.log("sink", sink));
