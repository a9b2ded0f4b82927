import { describe, expect, test } from "vitest";
import { DataError, InternalError, PolicyError } from "../../../src/errors/index.ts";
import { rehearsalBits } from "../../../src/random/rehearsal-bits.ts";
import {
  cellKey, compileTable, designPTable, keyTable, keyTableStatistics, numberOfKeys, readOnsTable, readPTable, readStepTable,
  roundPTable, tenFiveRule, withTable, writeOnsTable, writePTable,
} from "../../../src/tables/cell-key/index.ts";
import { CellKey, type CellKeyInput } from "../../../src/tables/cell-key/schema.ts";
import { tabulate } from "../../../src/tables/tabulate/index.ts";
import { cube, example } from "../helpers.ts";

const design = { maxPerturbation: 5, variance: 3, smallestShown: 3 };
const options = (more: Partial<CellKeyInput> = {}) =>
  CellKey.parse({ method: "cell-key", recordKeys: { from: "column" }, table: { design }, ...more });
const refused = (more: Record<string, unknown>) =>
  CellKey.safeParse({ method: "cell-key", recordKeys: { from: "column" }, table: { design }, ...more }).error?.issues[0]?.message;

function published(counts: readonly (readonly [string, string, number])[]) {
  const { cells, hierarchies } = example(["area", "age"], counts);
  return tabulate(cells, hierarchies, [cube("t", ["area", "age"])], { zeros: "publish" });
}

const system = published([["n", "x", 4], ["n", "y", 30], ["s", "x", 1], ["s", "y", 120], ["w", "y", 7]]);
const view = (values: Float64Array) => ({ columns: system.columns, cells: system.cells, places: system.places, values });

describe("the method", () => {
  test.each([
    { name: "intervals", more: {} },
    { name: "ons", more: { form: "ons" } },
    { name: "abs", more: { form: "abs" } },
    { name: "10-5 rule", more: { form: "ons", table: { rule: "10-5" } } },
  ] as const)("$name: whole numbers, none of those that are never shown; its own check finds nothing wrong", async ({ name, more }) => {
    const own = options(more as Partial<CellKeyInput>);
    for (let seed = 0; seed < 40; seed++) {
      const words = new Uint32Array(system.inner);
      rehearsalBits(seed).fill(words);
      const values = await cellKey.perturb({ system, recordKeys: Float64Array.from(words), random: rehearsalBits(0) }, own);
      expect(cellKey.check(view(values), own)).toEqual([]);
      for (const value of values) {
        expect(value === 0 || value >= 3).toBe(true);
        if (name === "10-5 rule") expect(value % 5).toBe(0);
      }
    }
  });

  test("does not touch what it is given", async () => {
    const sums = new Float64Array(system.inner).fill(5e8);
    const before = Float64Array.from(system.count);
    await cellKey.perturb({ system, recordKeys: sums, random: rehearsalBits(0) }, options());
    expect(system.count).toEqual(before);
    expect(sums).toEqual(new Float64Array(system.inner).fill(5e8));
  });

  test("check names numbers that the table never gives, and totals that stray too far", () => {
    const own = options();
    const good = Float64Array.from(system.count, (count) => (count < 3 ? 3 : count));
    expect(cellKey.check(view(good), own)).toEqual([]);
    for (const bad of [1, 2, -1, 3.5, Number.NaN, Infinity]) {
      const values = good.slice();
      values[3] = bad;
      expect(cellKey.check(view(values), own)[0]).toMatch(/^1 published numbers are none/);
    }
    const total = good.slice();
    total[0] = total[0]! + 60;
    expect(cellKey.check(view(total), own).join()).toMatch(/published totals are farther/);
    const tenFive = options({ form: "ons", table: { rule: "10-5" } });
    expect(cellKey.check(view(good), tenFive)[0]).toMatch(/none that the perturbation table gives/);
  });

  test.each(["down", "up"])("check finds nothing wrong where every cell goes %s as far as its row goes", (way) => {
    const own = options();
    const table = compileTable(own);
    const values = Float64Array.from(system.count, (count) => {
      const row = Math.min(count, table.rows - 1);
      return count + table.noise[way === "down" ? table.starts[row]! : table.starts[row + 1]! - 1]!;
    });
    expect(cellKey.check(view(values), own)).toEqual([]);
  });

  test("needs record keys, and the secret only for keys from contributors", async () => {
    expect(cellKey.needsRecordKeys).toBe(true);
    expect(cellKey.needsKey(options())).toBe(false);
    expect(cellKey.needsKey(options({ recordKeys: { from: "contributor" } }))).toBe(true);
    await expect(cellKey.perturb({ system, random: rehearsalBits(0) }, options())).rejects.toThrow(InternalError);
    await expect(cellKey.perturb({ system, recordKeys: new Float64Array(1), random: rehearsalBits(0) }, options())).rejects.toThrow(InternalError);
  });

  test("a group that takes away more than it has is refused", async () => {
    const odd = { ...system, count: Float64Array.from(system.count, (count, c) => (c === 2 ? -1 : count)) };
    const run = cellKey.perturb({ system: odd, recordKeys: new Float64Array(system.inner), random: rehearsalBits(0) }, options());
    await expect(run).rejects.toThrow(DataError);
  });

  test("describes itself for readers from the options alone", () => {
    const { methods, countType } = cellKey.describe(options());
    expect(countType).toBe("integer");
    expect(methods.join(" ")).toMatch(/at most 5 .*numbers 1 to 2 are never shown.*On average the changes are 0/);
    expect(cellKey.describe(options({ table: { design: { maxPerturbation: 2, variance: 1.05, smallestShown: 2 } } })).methods.join()).toMatch(/number 1 is never shown/);
    expect(cellKey.describe(options({ table: { design: { maxPerturbation: 2, variance: 1 } } })).methods.join()).not.toMatch(/never shown/);
    expect(cellKey.describe(options({ form: "ons", table: { rule: "10-5" } })).methods.join()).toMatch(/multiple of 5/);
  });
});

describe("options", () => {
  test("defaults are stated by form", () => {
    expect(numberOfKeys(options())).toBe(100_000_000);
    expect(numberOfKeys(options({ form: "ons" }))).toBe(256);
    expect(numberOfKeys(options({ form: "abs" }))).toBe(2 ** 32);
    expect(numberOfKeys(options({ keys: 1 << 20 }))).toBe(1 << 20);
  });
  test.each([
    [{ keys: 255 }, /at least 256/],
    [{ keys: 2 ** 33 }, /at most 4294967296/],
    [{ form: "ons", keys: 1024 }, /256 keys/],
    [{ table: { rule: "10-5" } }, /form: ons/],
    [{ table: { runs: [[1, 0, 0]] } }, /form: ons or form: abs/],
    [{ form: "ons", recordKeys: { from: "column", scale: "decimal" } }, /power of ten/],
    [{ keys: 1000.5 }, /./],
    [{ table: { design: { ...design, typo: 1 } } }, /./],
    [{ recordKeys: undefined }, /./],
    [{ table: undefined }, /./],
  ])("%j is refused", (more, message) => {
    expect(refused(more)).toMatch(message);
  });

  test("a file that was not read is refused; read, its rows stand in the options", () => {
    const named = options({ table: { file: "p.csv" } });
    expect(() => compileTable(named)).toThrow(expect.objectContaining({ code: "cell-key/table-not-loaded" }));
    const text = writePTable(roundPTable(designPTable(design).table), "tau-argus");
    const loaded = withTable(named, text);
    expect(compileTable(loaded)).toEqual(compileTable(options()));
    expect(CellKey.parse(loaded)).toEqual(loaded);
  });

  test("a table by keys from a file", () => {
    const table = keyTable(designPTable(design).table, 256, "unbiased");
    const loaded = withTable(options({ form: "ons", table: { file: "p.csv" } }), writeOnsTable(table));
    const again = compileTable(loaded);
    expect([again.rows, again.cycle, again.keys]).toEqual([751, 250, 256]);
    expect(keyTableStatistics(again).slice(1).every(({ bias }) => bias === 0)).toBe(true);
    expect(CellKey.parse(loaded)).toEqual(loaded);
    expect(() => withTable(options({ table: { file: "p.csv" } }), writeOnsTable(table))).toThrow(/cumulative bounds/);
    expect(() => withTable(options({ form: "ons", table: { file: "p.csv" } }), writeOnsTable(tenFiveRule()))).toThrow(
      expect.objectContaining({ code: "cell-key/biased-table" }),
    );
    const accepted = withTable(options({ form: "ons", biased: "accept", table: { file: "p.csv" } }), writeOnsTable(tenFiveRule()));
    expect(compileTable(accepted)).toEqual(tenFiveRule());
  });

  test.each([
    [[[1, 0, 0.5], [1, 2, 1], [0, 0, 1]], /ascending order of counts/],
    [[[2, 0, 0.5], [2, 4, 1]], /no row for a count of 1/],
    [[[0, 0, 1]], /no row for a count of 1/],
    [[[1, 0, 0.5], [1, 2, 0.9]], /last bound of exactly 1/],
    [[[1, 0, 0.6], [1, 2, 0.5], [1, 2, 1]], /bounds that rise/],
    [[[1, 0, 0.4], [1, 2, 1]], /mean change of 0/],
    [[[0, 0, 0.5], [0, 1, 1], [1, 0, 0.5], [1, 2, 1]], /0 that stays 0/],
  ])("listed bounds %j are refused", (bounds, message) => {
    const own = options({ table: { bounds: bounds as [number, number, number][] } });
    expect(() => compileTable(own)).toThrow(PolicyError);
    expect(() => compileTable(own)).toThrow(message);
  });

  test.each([
    [[[2, 0, 0]], /ascending order of counts without gaps/],
    [[[1, 1, 0]], /do not start at key 0/],
    [[[1, 0, 0], [1, 256, 0]], /below 256/],
    [[[1, 0, 1], [1, 128, -1], [1, 100, 0]], /ascend/],
    [[[1, 0, 2], [1, 128, -2]], /negative/],
    [[[1, 0, 1], [1, 100, -1]], /wrong on average for a count of 1/],
  ])("listed runs %j are refused", (runs, message) => {
    const own = options({ form: "ons", table: { runs: runs as [number, number, number][] } });
    expect(() => compileTable(own)).toThrow(PolicyError);
    expect(() => compileTable(own)).toThrow(message);
  });
  test("runs that are a table", () => {
    const own = options({ form: "ons", table: { runs: [[1, 0, -1], [1, 128, 1]] } });
    expect(keyTableStatistics(compileTable(own))[1]).toMatchObject({ bias: 0, variance: 1, stays: 0 });
  });
});

describe("table files", () => {
  const table = roundPTable(designPTable(design).table);
  test.each(["cellKey", "tau-argus"] as const)("what is written as %s is read back as it was", (format) => {
    const text = writePTable(table, format);
    expect(readPTable(text)).toEqual(table);
    expect(text).not.toMatch(/e-/);
    // Shares of 8 decimals sum to 1 and have mean 0 exactly.
    for (const { changes } of table.rows.slice(1)) {
      expect(changes.reduce((sum, { share, noise }) => sum + Math.round(share * 1e8) * noise, 0)).toBe(0);
    }
  });
  test("a table by keys is read back as it was, quoted header and byte order mark or not", () => {
    const own = tenFiveRule();
    const text = writeOnsTable(own);
    expect(readOnsTable(text)).toEqual(own);
    expect(readOnsTable(`\uFEFF${text.replace("pcv,ckey,pvalue", '"pcv","ckey","pvalue"').replaceAll("\n", "\r\n")}`)).toEqual(own);
  });
  test("rearranged intervals, as ptable's modify_cnt_ptable writes them, are kept in their order", () => {
    const text = "i,j,p,v,p_int_lb,p_int_ub,type\n0,0,1,0,0,1,all\n1,2,0.25,1,0,0.25,all\n1,0,0.5,-1,0.25,0.75,all\n1,2,0.25,1,0.75,1,all\n";
    const read = readPTable(text);
    expect(read.rows[1]!.changes.map(({ noise }) => noise)).toEqual([1, -1, 1]);
    expect(keyTableStatistics(keyTable(read, 1000, "bounds"))[1]).toMatchObject({ bias: 0, variance: 1 });
  });

  const HEAD = "i;j;p;v;p_int_ub\n";
  const SECRET = "0.987654321987";
  test.each([
    ["", /Line 1 .*columns i, j, p, v/],
    ["i;j;p;v\n0;0;1;0\n", /Line 1/],
    ["i;j;p;v;p_int_ub;i\n", /names that differ/],
    [HEAD, /Line 2 .*at least one row/],
    [`${HEAD}0;0;1;0\n`, /Line 2 .*5 fields/],
    [`${HEAD}0;0;1;0;one\n`, /Line 2 .*plain decimal/],
    [`${HEAD}0;0;1;0;1\n2;0;0.5;-2;0.5\n2;4;0.5;2;1\n`, /Line 3 .*without gaps/],
    [`${HEAD}0;0;1;0;1\n1;0;0.5;-2;0.5\n1;2;0.5;1;1\n`, /Line 3 .*v to be j less i/],
    [`${HEAD}0;0;1;0;1\n1;-1;0.5;-2;0.5\n1;3;0.5;2;1\n`, /Line 3 .*published counts/],
    [`${HEAD}0;0;1;0;1\n1;0.5;0.5;-0.5;0.5\n1;1.5;0.5;0.5;1\n`, /Line 3 .*whole/],
    [`${HEAD}0;0;1;0;1\n1;0;0.5;-1;0.5\n1;2;0.4;1;1\n`, /Line 4 .*bound before plus/],
    [`${HEAD}0;0;1;0;1\n1;0;0.5;-1;0.5\n1;2;0.4;1;0.9\n`, /Line 3 .*exactly 1/],
    [`${HEAD}0;0;1;0;1\n1;0;0.4;-1;0.4\n1;2;0.6;1;1\n`, /Line 3 .*mean change of 0/],
    [`${HEAD}0;1;1;1;1\n1;0;0.5;-1;0.5\n1;2;0.5;1;1\n`, /Line 2 .*0 that stays 0/],
    [`${HEAD}0;0;1;0;1\n1;0;-0.5;-1;-0.5\n1;2;1.5;1;1\n`, /Line 3 .*probabilities/],
    [`i;j;p;v;p_int_ub;type\n0;0;1;0;1;even\n`, /type "all"/],
    [`${HEAD}0;0;${SECRET}x;0;1\n`, /Line 2/],
  ])("a malformed table is refused with its line: %#", (text, message) => {
    expect(() => readPTable(text)).toThrow(DataError);
    expect(() => readPTable(text)).toThrow(message);
    expect(() => readPTable(text)).not.toThrow(new RegExp(SECRET));
  });
  test("a biased table is read when that is accepted", () => {
    expect(readPTable(`${HEAD}1;0;0.4;-1;0.4\n1;2;0.6;1;1\n`, { biased: "accept" }).rows).toHaveLength(2);
  });

  test.each([
    ["pcv,ckey\n1,0\n", /Line 1/],
    ["pcv,ckey,pvalue\n", /pcv 1/],
    ["pcv,ckey,pvalue\n1,0,0\n1,0,0\n", /Line 3 .*once/],
    ["pcv,ckey,pvalue\n1,0,0\n1,2,0\n", /every ckey/],
    ["pcv,ckey,pvalue\n1,0,0\n1,1,0\n3,0,0\n3,1,0\n", /every pcv/],
    ["pcv,ckey,pvalue\n1,0,-2\n", /Line 2 .*at 0 or more/],
    ["pcv,ckey,pvalue\n1,0,0.5\n", /Line 2 .*whole pvalue/],
    ["pcv,ckey,pvalue\n0,0,0\n", /Line 2 .*pcv from 1/],
    ["pcv,ckey,pvalue\n1,-1,0\n", /Line 2 .*ckey from 0/],
  ])("a malformed table by keys is refused: %#", (text, message) => {
    expect(() => readOnsTable(text)).toThrow(message);
  });

  test.each([
    ["i;j;p;v;p_int_ub;type\n0;0;1;0;1;some\n", /type/],
    ["i;j;p;v;p_int_ub;type\n1;1;1;0;1;all\n0;0;1;0;1;all\n", /ascending/],
    ["i;j;p;v;p_int_ub;type\n1;2;1;1;1;all\n", /mean change of 0/],
    ["i;j;p;v;p_int_ub;type\n1;-1;0.5;-2;0.5;all\n1;3;0.5;2;1;all\n", /below -i/],
  ])("a malformed table for amounts is refused: %#", (text, message) => {
    expect(() => readStepTable(text)).toThrow(message);
  });
});
