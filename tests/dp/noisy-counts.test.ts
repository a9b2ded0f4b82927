import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Cells } from "../../src/cells/cells.ts";
import { boundContributions } from "../../src/cells/contributors.ts";
import { DictionaryBuilder } from "../../src/columns/index.ts";
import {
  accuracy, declareColumn, noiseFigures, planNoisyCounts, protectNoisyCounts, verifyNoisyCounts,
  type BoundedCounts, type DeclaredColumn, type NoisyCountsPlan, type NoisyCountsRequest, type ProtectedNoisyCounts, type ReadBackNoisyCounts,
} from "../../src/dp/noisy-counts/index.ts";
import { prefixHierarchy } from "../../src/hierarchies/index.ts";
import { rational } from "../../src/kernels/rational.ts";
import { secureBits, uniformInts } from "../../src/random/index.ts";
import { rehearsalBits } from "../../src/random/rehearsal-bits.ts";
import { gaussianPmf, laplacePmf, rejects, tally } from "../random/chi-square.ts";

interface Person { readonly contributor: string; readonly values: readonly (string | null)[] }

/** Records to cells after keeping each contributor's first `m` records: a slow plain version of bound and fold. */
function boundedCounts(columns: readonly string[], records: readonly Person[], m: number): BoundedCounts {
  const kept = new Map<string, number>();
  const dictionaries = columns.map(() => new DictionaryBuilder());
  const counted = new Map<string, { codes: number[]; records: number }>();
  for (const { contributor, values } of records) {
    const before = kept.get(contributor) ?? 0;
    kept.set(contributor, before + 1);
    if (before >= m) continue;
    const codes = values.map((value, key) => (value === null ? -1 : dictionaries[key]!.addText(value)));
    const cell = counted.get(codes.join()) ?? { codes, records: 0 };
    cell.records++;
    counted.set(codes.join(), cell);
  }
  const list = [...counted.values()];
  const cells: Cells = {
    keys: columns,
    sizes: dictionaries.map(({ size }) => size),
    size: list.length,
    codes: columns.map((_, key) => Int32Array.from(list, ({ codes }) => codes[key]!)),
    records: Float64Array.from(list, (cell) => cell.records),
    measures: [],
  };
  return { cells, dictionaries, maxRecordsPerContributor: m };
}

const COUNTY: DeclaredColumn = {
  column: "county",
  levels: [
    { level: 0, groups: ["Alpine", "Butte", "Colusa"], of: [0, 1, 2] },
    { level: 1, groups: ["north", "mountains"], of: [1, 0, 0] },
  ],
};
const SEX = declareColumn("sex", ["f", "m"]);

const REQUEST: NoisyCountsRequest = {
  mechanism: "discrete-gaussian",
  budget: { rho: "0.5" },
  privacyUnit: "contributor",
  maxRecordsPerContributor: 1,
  columns: [COUNTY, SEX],
  tables: [{ name: "people", dimensions: [{ column: "county", levels: [0, 1] }, "sex"] }],
  rehearsal: true,
};

const NONE = boundedCounts(["county", "sex"], [], 1);

function readBack(released: ProtectedNoisyCounts): ReadBackNoisyCounts {
  return {
    statement: released.statement,
    blocks: released.tables.flatMap(({ name, blocks }) =>
      blocks.map(({ columns, codes, count }) => ({
        table: name,
        columns: columns.map(({ column, level }) => ({ column, level })),
        values: columns.map(({ groups }, c) => Array.from(codes[c]!, (code) => groups[code]!)),
        count: Array.from(count, String),
      })),
    ),
  };
}

describe("plan", () => {
  test("worked example: rho 0.5, one record each, one table: sigma squared 1", () => {
    const plan = planNoisyCounts(REQUEST);
    expect(plan.tables[0]).toMatchObject({ noise: "1", spent: "1/2" });
    expect(plan).toMatchObject({ measure: "rho", budget: "1/2", spent: "1/2", equivalent: { delta: "1e-10", epsilon: "6.8394" } });
    expect(plan.statement).toBe(
      "Every count carries discrete Gaussian noise. All tables of this release together spend rho = 0.5 (zero-concentrated " +
        "differential privacy), which implies epsilon = 6.8394 at delta = 1e-10, for adding or removing one contributor, " +
        "of whom one record counted.",
    );
    expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
  });

  test("m records of one person need m^2 times the variance, or m times the Laplace scale; tables share the budget", () => {
    const two = [{ name: "a", dimensions: ["sex"], share: 1 }, { name: "b", dimensions: ["county"], share: 3 }];
    const gaussian = planNoisyCounts({ ...REQUEST, maxRecordsPerContributor: 4, tables: two });
    expect(gaussian.tables.map(({ noise, spent }) => [noise, spent])).toEqual([["64", "1/8"], ["64/3", "3/8"]]);
    const laplace = planNoisyCounts({ ...REQUEST, mechanism: "discrete-laplace", budget: { epsilon: 0.3 }, maxRecordsPerContributor: 4, tables: two });
    expect(laplace.tables.map(({ noise, spent }) => [noise, spent])).toEqual([["160/3", "3/40"], ["160/9", "9/40"]]);
    expect(laplace.statement).toContain("epsilon = 0.3 (pure differential privacy), for adding or removing one contributor, of whom at most 4 records counted");
    expect(laplace.equivalent).toBeUndefined();
  });

  test("blocks: every level of kept columns, totals after them, variance in proportion to the cells summed", () => {
    const plan = planNoisyCounts(REQUEST);
    expect(plan.tables[0]!.blocks.map(({ levels, cells, summed }) => [levels, cells, summed])).toEqual([
      [[0, 0], 6, 1], [[1, 0], 4, 2],
      [[0, null], 3, 2], [[1, null], 2, 4],
      [[null, 0], 2, 3],
      [[null, null], 1, 6],
    ]);
    const listed = planNoisyCounts({ ...REQUEST, tables: [{ name: "t", dimensions: ["county", "sex"], margins: [["sex"], [], ["sex"]] }] });
    expect(listed.tables[0]!.blocks.map(({ levels }) => levels)).toEqual([[0, 0], [null, 0], [null, null]]);
    const none = planNoisyCounts({ ...REQUEST, tables: [{ name: "t", dimensions: [{ column: "county", levels: [1] }], margins: "none" }] });
    expect(none.tables[0]!.blocks.map(({ levels, cells, summed }) => [levels, cells, summed])).toEqual([[[1], 2, 1]]);
  });

  test.each<[string, Partial<NoisyCountsRequest>, string]>([
    ["no declared groups", { columns: [SEX] }, "noisy-counts/groups"],
    ["an unknown level", { tables: [{ name: "t", dimensions: [{ column: "sex", levels: [1] }] }] }, "noisy-counts/table"],
    ["no tables", { tables: [] }, "noisy-counts/table"],
    ["two tables of one name", { tables: [{ name: "t", dimensions: ["sex"] }, { name: "t", dimensions: ["county"] }] }, "noisy-counts/table"],
    ["a dimension twice", { tables: [{ name: "t", dimensions: ["sex", "sex"] }] }, "noisy-counts/table"],
    ["a margin over a strange column", { tables: [{ name: "t", dimensions: ["sex"], margins: [["age"]] }] }, "noisy-counts/table"],
    ["half a record each", { maxRecordsPerContributor: 0.5 }, "noisy-counts/contribution-bound"],
    ["records as persons with several each", { privacyUnit: "record", maxRecordsPerContributor: 2 }, "noisy-counts/contribution-bound"],
    ["a budget that buys nothing", { budget: { rho: "1e-30" } }, "noisy-counts/too-much-noise"],
    ["an impossible report delta", { reportDelta: 2 }, "dp/budget"],
  ])("%s is refused", (_, change, code) => {
    expect(() => planNoisyCounts({ ...REQUEST, ...change })).toThrow(expect.objectContaining({ name: "PolicyError", code }));
  });

  test("too many combinations are refused", () => {
    const wide = Array.from({ length: 5 }, (_, i) => declareColumn(`c${i}`, Array.from({ length: 60 }, (__, j) => `g${j}`)));
    const tables = [{ name: "t", dimensions: wide.map(({ column }) => column) }];
    expect(() => planNoisyCounts({ ...REQUEST, columns: wide, tables })).toThrow(expect.objectContaining({ code: "noisy-counts/too-many-cells" }));
  });

  test("a hierarchy declares the coarser groups, from the declared values alone", () => {
    const zip = declareColumn("zip", ["95814", "95816", "94102"], prefixHierarchy({ keep: [3] }));
    expect(zip.levels.map(({ groups }) => groups.length)).toEqual([3, 2, 1]);
    const plan = planNoisyCounts({ ...REQUEST, columns: [zip], tables: [{ name: "t", dimensions: [{ column: "zip", levels: "all" }], margins: "none" }], budget: { rho: 100 } });
    const people = ["95814", "95816", "95816", "94102", "10001"].map((code, i) => ({ contributor: String(i), values: [code] }));
    const [leaves, threes, all] = protectNoisyCounts(boundedCounts(["zip"], people, 1), plan, rehearsalBits(1)).tables[0]!.blocks;
    expect([...leaves!.count]).toEqual([1, 2, 1]);
    expect([...threes!.count].sort()).toEqual([1, 3]);
    expect([...all!.count]).toEqual([4]);
  });

  test("a group declared twice, or none, is refused", () => {
    expect(() => declareColumn("sex", ["f", "f"])).toThrow(expect.objectContaining({ code: "noisy-counts/groups" }));
    expect(() => declareColumn("sex", [])).toThrow(expect.objectContaining({ code: "noisy-counts/groups" }));
  });
});

describe("noise figures", () => {
  test("OpenDP: discrete Gaussian of scale 1 has accuracy 2 at alpha 0.5", () => {
    expect(accuracy("discrete-gaussian", rational(1n), 0.5)).toBe(2);
  });

  test.each([["discrete-gaussian", 1], ["discrete-gaussian", 100], ["discrete-laplace", 1], ["discrete-laplace", 30]] as const)(
    "%s %d by summing the law",
    (mechanism, parameter) => {
      const pmf = mechanism === "discrete-gaussian" ? gaussianPmf(parameter) : laplacePmf(parameter);
      const figures = noiseFigures(mechanism, rational(parameter));
      let variance = 0;
      let absolute = 0;
      for (let x = -5000; x <= 5000; x++) {
        variance += x * x * pmf(x);
        absolute += Math.abs(x) * pmf(x);
      }
      expect(figures.standardDeviation).toBeCloseTo(Math.sqrt(variance), 3);
      expect(figures.meanAbsoluteError).toBeCloseTo(absolute, 3);
      const within = (e: number) => Array.from({ length: 2 * e + 1 }, (_, i) => pmf(i - e)).reduce((a, b) => a + b, 0);
      expect(within(figures.within95)).toBeGreaterThanOrEqual(0.95);
      expect(within(figures.within95 - 1)).toBeLessThan(0.95);
    },
  );

  test("very wide noise is scaled from the normal law", () => {
    const { standardDeviation, within95 } = noiseFigures("discrete-gaussian", rational(10n ** 14n));
    expect(standardDeviation).toBe(1e7);
    expect(within95 / 1e7).toBeCloseTo(1.96, 2);
  });
});

describe("protect", () => {
  /** With little noise asked for, counts show through: sigma squared 1/200 leaves a draw other than 0 below 1e-40. */
  const CLEAR = { ...REQUEST, budget: { rho: 100 } };
  const PEOPLE: Person[] = [
    { contributor: "1", values: ["Alpine", "f"] },
    { contributor: "2", values: ["Alpine", "f"] },
    { contributor: "3", values: ["Butte", "m"] },
    { contributor: "4", values: ["Elsewhere", "m"] },
    { contributor: "5", values: [null, "f"] },
  ];
  const counts = boundedCounts(["county", "sex"], PEOPLE, 1);
  const blocksOf = (released: ProtectedNoisyCounts) => released.tables[0]!.blocks.map(({ count }) => [...count]);

  test("counts every declared combination in declared order, empty ones too; undeclared values and nulls are left out", () => {
    const released = protectNoisyCounts(counts, planNoisyCounts(CLEAR), rehearsalBits(1));
    expect(blocksOf(released)).toEqual([[2, 0, 0, 1, 0, 0], [0, 1, 2, 0], [2, 1, 0], [1, 2], [2, 1], [3]]);
    const [full, byLevel] = released.tables[0]!.blocks;
    expect(full!.codes.map((codes) => [...codes])).toEqual([[0, 0, 1, 1, 2, 2], [0, 1, 0, 1, 0, 1]]);
    expect(byLevel!.columns.map(({ column, level, groups }) => [column, level, groups])).toEqual([
      ["county", 1, ["north", "mountains"]], ["sex", 0, ["f", "m"]],
    ]);
    expect(released.internal).toEqual([{ table: "people", recordsInOther: 0, recordsDropped: 2 }]);
  });

  test("or are counted in the group other, at every level", () => {
    const released = protectNoisyCounts(counts, planNoisyCounts({ ...CLEAR, otherwise: "other" }), rehearsalBits(1));
    const full = released.tables[0]!.blocks[0]!;
    expect(full.columns.map(({ groups }) => groups)).toEqual([["Alpine", "Butte", "Colusa", "other"], ["f", "m", "other"]]);
    expect([...full.count]).toEqual([2, 0, 0, 0, 1, 0, 0, 0, 0, 1, 1, 0]);
    expect([...released.tables[0]!.blocks.at(-1)!.count]).toEqual([5]);
    expect(released.internal[0]).toEqual({ table: "people", recordsInOther: 2, recordsDropped: 0 });
  });

  test("a declared group named other takes the records itself", () => {
    const sex = declareColumn("sex", ["f", "other"]);
    const plan = planNoisyCounts({ ...CLEAR, columns: [COUNTY, sex], tables: [{ name: "t", dimensions: ["sex"] }], otherwise: "other" });
    expect(blocksOf(protectNoisyCounts(counts, plan, rehearsalBits(1)))).toEqual([[3, 2], [5]]);
  });

  test("finest cells fit the planned law around the truth, and not that of a variance 6 % larger", () => {
    const column = declareColumn("c", Array.from({ length: 100_000 }, (_, i) => String(i)));
    for (const [mechanism, budget, law] of [
      ["discrete-gaussian", { rho: "0.02" }, gaussianPmf],
      ["discrete-laplace", { epsilon: "0.2" }, laplacePmf],
    ] as const) {
      const plan = planNoisyCounts({ ...REQUEST, mechanism, budget, columns: [column], tables: [{ name: "t", dimensions: ["c"] }] });
      const released = protectNoisyCounts(boundedCounts(["c"], [], 1), plan, rehearsalBits(9));
      const drawn = released.tables[0]!.blocks[0]!.count;
      let at = 0;
      const counted = tally(drawn.length, () => drawn[at++]!);
      const parameter = mechanism === "discrete-gaussian" ? 25 : 5;
      expect(rejects(counted, law(parameter), -150, 150)).toBe(false);
      expect(rejects(counted, law(parameter * 1.06), -150, 150)).toBe(true);
    }
  });

  test("all outputs are integers; negative counts stay, or are raised to 0 after the margins were summed", () => {
    const noisy = { ...REQUEST, budget: { rho: "0.001" } };
    const asDrawn = protectNoisyCounts(counts, planNoisyCounts(noisy), rehearsalBits(3));
    const raised = protectNoisyCounts(counts, planNoisyCounts({ ...noisy, nonNegative: true }), rehearsalBits(3));
    expect(blocksOf(asDrawn).flat().some((count) => count < 0)).toBe(true);
    expect(blocksOf(asDrawn).flat().every((count) => Number.isSafeInteger(count) && !Object.is(count, -0))).toBe(true);
    expect(blocksOf(raised)).toEqual(blocksOf(asDrawn).map((block) => block.map((count) => Math.max(0, count))));
  });

  test("a count at the edge of 53 bits is cut to the range", () => {
    const huge = { ...counts, cells: { ...counts.cells, records: counts.cells.records.map(() => Number.MAX_SAFE_INTEGER) } };
    const released = protectNoisyCounts(huge, planNoisyCounts({ ...REQUEST, budget: { rho: "1e-9" } }), rehearsalBits(4));
    expect(blocksOf(released).flat().every(Number.isSafeInteger)).toBe(true);
  });

  test("one contributor more changes each table by at most m in sum, over 10,000 neighbouring pairs", () => {
    const ints = uniformInts(rehearsalBits(77));
    const pick = <T>(choices: readonly T[]): T => choices[ints.below(choices.length)]!;
    const record = (contributor: string): Person => ({
      contributor,
      values: [pick(["Alpine", "Butte", "Colusa", "Nowhere", null]), pick(["f", "m", "x", null])],
    });
    let largest = 0; // difference less m: 0 is reached, more is never
    let largestUnbounded = 0;
    for (let pair = 0; pair < 10_000; pair++) {
      const m = 1 + ints.below(4);
      const tables = [{ name: "a", dimensions: ["county", "sex"] }, { name: "b", dimensions: [{ column: "county", levels: [1] }] }];
      const plan = planNoisyCounts({ ...REQUEST, maxRecordsPerContributor: m, tables, otherwise: pick(["other", "drop"]) });
      const without = Array.from({ length: ints.below(10) }, () => record(String(ints.below(4))));
      const joined = [...without];
      for (let i = ints.below(8); i >= 0; i--) joined.splice(ints.below(joined.length + 1), 0, record("new"));
      // The same seed draws the same noise for both, so what remains is the difference of the exact counts.
      const excess = (bound: number): number => {
        const [a, b] = [without, joined].map((people) => {
          const bounded = { ...boundedCounts(["county", "sex"], people, bound), maxRecordsPerContributor: m };
          return protectNoisyCounts(bounded, plan, rehearsalBits(pair));
        });
        const distances = [0, 1].map((t) => {
          const [before, after] = [a!.tables[t]!.blocks[0]!.count, b!.tables[t]!.blocks[0]!.count];
          return before.reduce((sum, count, row) => sum + Math.abs(count - after[row]!), 0);
        });
        return Math.max(...distances) - m;
      };
      largest = pair === 0 ? excess(m) : Math.max(largest, excess(m));
      if (pair < 500) largestUnbounded = Math.max(largestUnbounded, excess(1000));
    }
    expect(largest).toBe(0);
    expect(largestUnbounded).toBeGreaterThan(0);
  });

  test("the same through boundContributions: 10,000 pairs in which the new contributor has up to 12 records", () => {
    const ints = uniformInts(rehearsalBits(78));
    const plan = planNoisyCounts({ ...REQUEST, maxRecordsPerContributor: 3, tables: [{ name: "t", dimensions: ["county", "sex"], margins: "none" }] });
    let largest = 0;
    for (let pair = 0; pair < 10_000; pair++) {
      const record = (contributor: string): Person => ({
        contributor,
        values: [contributor, ["Alpine", "Butte", "Colusa", "Nowhere"][ints.below(4)]!, ["f", "m"][ints.below(2)]!],
      });
      const without = Array.from({ length: 1 + ints.below(12) }, () => record(String(ints.below(3))));
      // Last in code order, so that with one seed the draws for the others are the same on both sides.
      const joined = [...without, ...Array.from({ length: 1 + ints.below(12) }, () => record("new"))];
      const [before, after] = [without, joined].map((people) => {
        const { cells, dictionaries } = boundedCounts(["who", "county", "sex"], people, 1000);
        const bounded = boundContributions(cells, 0, 3, rehearsalBits(pair));
        const counts = { cells: bounded, dictionaries: dictionaries.slice(1), maxRecordsPerContributor: 3 };
        return protectNoisyCounts(counts, plan, rehearsalBits(pair)).tables[0]!.blocks[0]!.count;
      });
      largest = Math.max(largest, before!.reduce((sum, count, row) => sum + Math.abs(count - after![row]!), 0));
    }
    expect(largest).toBe(3);
  });

  test("the order of records and of dictionary codes does not matter", () => {
    fc.assert(fc.property(fc.shuffledSubarray(PEOPLE, { minLength: PEOPLE.length }), (people) => {
      const plan = planNoisyCounts(REQUEST);
      const again = protectNoisyCounts(boundedCounts(["county", "sex"], people, 1), plan, rehearsalBits(5));
      expect(again).toEqual(protectNoisyCounts(counts, plan, rehearsalBits(5)));
    }));
  });

  test("whatever the data, the shape is the same and nothing is thrown", () => {
    const value = fc.option(fc.string({ unit: "grapheme" }), { nil: null });
    fc.assert(fc.property(fc.array(fc.tuple(value, value)), (rows) => {
      const people = rows.map((values, i) => ({ contributor: String(i), values }));
      const plan = planNoisyCounts({ ...REQUEST, rehearsal: false });
      const released = protectNoisyCounts(boundedCounts(["county", "sex"], people, 1), plan, secureBits());
      expect(blocksOf(released).map(({ length }) => length)).toEqual([6, 4, 3, 2, 2, 1]);
      expect(verifyNoisyCounts(readBack(released), plan).findings).toEqual([]);
    }));
  });

  test("seeded bits make a rehearsal, and are refused under a plan for publication", () => {
    expect(protectNoisyCounts(NONE, planNoisyCounts(REQUEST), secureBits()).rehearsal).toBe(true);
    const forPublication = planNoisyCounts({ ...REQUEST, rehearsal: false });
    expect(protectNoisyCounts(NONE, forPublication, secureBits()).rehearsal).toBe(false);
    expect(() => protectNoisyCounts(NONE, forPublication, rehearsalBits(1))).toThrow(
      expect.objectContaining({ name: "DisclosureError", code: "noisy-counts/seeded-bits" }),
    );
  });

  test("secure noise differs from run to run", () => {
    const column = declareColumn("c", Array.from({ length: 200 }, (_, i) => String(i)));
    const plan = planNoisyCounts({ ...REQUEST, columns: [column], tables: [{ name: "t", dimensions: ["c"] }] });
    const run = () => [...protectNoisyCounts(boundedCounts(["c"], [], 1), plan, secureBits()).tables[0]!.blocks[0]!.count];
    expect(run()).not.toEqual(run());
  });

  test("counts bounded less strictly than planned, missing keys and plans edited to spend more are refused", () => {
    const plan = planNoisyCounts(REQUEST);
    const refused = (change: () => unknown, code: string) => expect(change).toThrow(expect.objectContaining({ code }));
    refused(() => protectNoisyCounts({ ...counts, maxRecordsPerContributor: 2 }, plan, secureBits()), "noisy-counts/contribution-bound");
    refused(() => protectNoisyCounts({ ...counts, maxRecordsPerContributor: NaN }, plan, secureBits()), "noisy-counts/contribution-bound");
    refused(() => protectNoisyCounts(boundedCounts(["sex"], [], 1), plan, secureBits()), "noisy-counts/missing-key");
    for (const noise of ["1/2", "0", "-1"]) {
      const edited = { ...plan, tables: plan.tables.map((table) => ({ ...table, noise })) };
      refused(() => protectNoisyCounts(counts, edited, secureBits()), "noisy-counts/overspent");
    }
  });
});

describe("verify", () => {
  const plan = planNoisyCounts({ ...REQUEST, otherwise: "other" });
  const written = readBack(protectNoisyCounts(NONE, plan, rehearsalBits(6)));
  type Block = { table: string; columns: { column: string; level: number }[]; values: string[][]; count: string[] };
  type Draft = { statement: string; blocks: Block[] };
  const edit = (change: (draft: Draft) => void, by: NoisyCountsPlan = plan) => {
    const draft = structuredClone(written) as unknown as Draft;
    change(draft);
    const verdict = verifyNoisyCounts(draft, by);
    expect(verdict.passed).toBe(verdict.findings.length === 0);
    return [...new Set(verdict.findings.map(({ check }) => check))];
  };

  test("passes what was written, and says what it cannot check", () => {
    expect(edit(() => undefined)).toEqual([]);
    expect(verifyNoisyCounts(written, plan).notChecked).toContain("cannot be seen");
  });

  test.each<[string, string, (draft: Draft) => void]>([
    ["a changed cell", "additivity", ({ blocks }) => { blocks[0]!.count[4] = String(Number(blocks[0]!.count[4]) + 1); }],
    ["a changed total", "additivity", ({ blocks }) => { blocks.at(-1)!.count[0] = String(Number(blocks.at(-1)!.count[0]) - 1); }],
    ["a fraction", "integers", ({ blocks }) => { blocks[0]!.count[0] = "1.5"; }],
    ["an empty count", "integers", ({ blocks }) => { blocks[0]!.count[0] = ""; }],
    ["a count in words of a double", "integers", ({ blocks }) => { blocks[0]!.count[0] = "1e3"; }],
    ["a missing row", "combinations", ({ blocks }) => { blocks[0]!.count.pop(); for (const column of blocks[0]!.values) column.pop(); }],
    ["a row twice", "combinations", ({ blocks }) => { blocks[0]!.count.push("1"); for (const column of blocks[0]!.values) column.push(column[0]!); }],
    ["a group that is not declared", "combinations", ({ blocks }) => { blocks[0]!.values[0]![0] = "canary-4711"; }],
    ["a missing block", "blocks", ({ blocks }) => { blocks.pop(); }],
    ["a block more", "blocks", ({ blocks }) => { blocks.push({ ...blocks[0]!, table: "more" }); }],
    ["a column short", "columns", ({ blocks }) => { blocks[0]!.values[1]!.pop(); }],
    ["another statement", "statement", (draft) => { draft.statement = draft.statement.replace("0.5", "0.4"); }],
  ])("%s is found", (_, check, change) => expect(edit(change)).toContain(check));

  test("negative counts under a plan that raises them, and noise that overspends, are found", () => {
    expect(edit(({ blocks }) => { blocks[0]!.count[0] = "-3"; }, { ...plan, nonNegative: true })).toContain("non-negative");
    expect(edit(() => undefined, { ...plan, tables: plan.tables.map((table) => ({ ...table, noise: "1/2" })) })).toContain("budget");
    expect(edit(() => undefined, { ...plan, budget: "1/4" })).toContain("budget");
  });

  test("findings hold no value of the output", () => {
    const draft = structuredClone(written) as unknown as Draft;
    draft.blocks[0]!.values[0]![0] = "canary-4711";
    draft.blocks[0]!.count[1] = "canary-4712";
    expect(JSON.stringify(verifyNoisyCounts(draft, plan))).not.toContain("canary");
  });
});
