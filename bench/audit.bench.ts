import { bench, describe } from "vitest";
import { auditLinear, ConstraintBuilder, type LinearAttack } from "../src/tables/audit/index.ts";

/**
 * Growth of the audit with published cells: areas in regions of ten, by groups, by ages, with all margins; 5 % of the cells
 * are small. They are hidden in blocks of two areas by two groups by two ages, so that all can be protected. The comparator
 * asks for exact bounds: two linear programs for every blank cell. BENCH_FULL=1 adds 10^5 cells.
 */
const full = process.env["BENCH_FULL"] === "1";
const AREAS = full ? [30, 300, 3000] : [30, 300];
const GROUPS = 5;
const AGES = 6;

/** Inner cells area x group x age, then sums over age, group and area (in its region). Seeded. */
function hiddenCube(areas: number): { attack: LinearAttack; witness: Float64Array } {
  let state = 12345;
  const random = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  const inner = areas * GROUPS * AGES;
  const at = (area: number, group: number, age: number) => (area * GROUPS + group) * AGES + age;
  const witness: number[] = Array.from({ length: inner }, () => 11 + Math.floor(400 * random() ** 3));
  const blank = new Uint8Array(inner);
  for (let block = 0; block < (0.05 * inner) / 2; block++) {
    const area = Math.floor(random() * areas);
    const other = Math.floor(area / 10) * 10 + ((area + 1 + Math.floor(random() * 8)) % 10);
    if (other >= areas) continue;
    const groups = [Math.floor(random() * (GROUPS - 1)), GROUPS - 1];
    const ages = [Math.floor(random() * (AGES - 1)), AGES - 1];
    witness[at(area, groups[0]!, ages[0]!)] = 5 + Math.floor(random() * 6);
    for (const a of [area, other]) for (const g of groups) for (const y of ages) blank[at(a, g, y)] = 1;
  }
  const rows = new ConstraintBuilder();
  const sum = (cells: readonly number[]) => {
    rows.add([...cells.map((cell) => [cell, 1] as const), [witness.length, -1]], 0);
    witness.push(cells.reduce((all, cell) => all + witness[cell]!, 0));
  };
  const range = (n: number) => Array.from({ length: n }, (_, i) => i);
  for (let area = 0; area < areas; area++) {
    for (let group = 0; group < GROUPS; group++) sum(range(AGES).map((age) => at(area, group, age)));
    for (let age = 0; age < AGES; age++) sum(range(GROUPS).map((group) => at(area, group, age)));
  }
  for (let region = 0; region < areas; region += 10) {
    for (let group = 0; group < GROUPS; group++) {
      for (let age = 0; age < AGES; age++) sum(range(Math.min(10, areas - region)).map((k) => at(region + k, group, age)));
    }
  }
  const cells = witness.length;
  return {
    attack: {
      cells,
      value: Float64Array.from(witness, (value, cell) => (blank[cell] === 1 ? NaN : value)),
      lower: new Float64Array(cells).fill(1),
      upper: new Float64Array(cells).fill(Infinity),
      constraints: rows.build(),
      need: { values: Float64Array.from(witness, (_, cell) => (blank[cell] === 1 ? 5 : 0)), harmlessFrom: new Float64Array(cells).fill(11) },
    },
    witness: Float64Array.from(witness),
  };
}

const once = { iterations: 3, warmupIterations: 0, time: 0, warmupTime: 0 };

for (const areas of AREAS) {
  const { attack, witness } = hiddenCube(areas);
  const blanks = attack.value.filter((value) => Number.isNaN(value)).length;
  describe(`${attack.cells} published cells, ${blanks} blank`, () => {
    bench("audit", async () => void (await auditLinear(attack)), once);
    bench("audit, given a table that agrees", async () => void (await auditLinear(attack, { witness })), once);
    if (areas <= 30) bench("exact bounds: linear programs for every blank cell", async () => void (await auditLinear(attack, { detail: "bounds" })), once);
  });
}
