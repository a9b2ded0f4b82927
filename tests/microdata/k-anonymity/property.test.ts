import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { rollUp } from "../../../src/cells/index.ts";
import {
  allowedSuppressions, leastSuppressed, measureKAnonymity, searchKAnonymity, searchKAnonymityInSlices,
} from "../../../src/microdata/k-anonymity/index.ts";
import type { MetricOptions } from "../../../src/utility/index.ts";
import type { Table } from "../adult.ts";
import { close, slowSearch } from "./slow-search.ts";
import { boundTable, smallTables } from "./small-tables.ts";

const METRICS: readonly MetricOptions[] = [
  { metric: "loss" },
  { metric: "loss", aggregate: "arithmetic-mean" },
  { metric: "loss", aggregate: "sum", generalizationWeight: 0.2 },
  { metric: "loss", aggregate: "max" },
  { metric: "loss", aggregate: "rank" },
  { metric: "loss", generalizationWeight: 0 },
  { metric: "loss", generalizationWeight: 0.8 },
  { metric: "loss", generalizationWeight: 1 },
  { metric: "entropy" },
  { metric: "entropy-non-monotone" },
  { metric: "entropy-non-monotone", generalizationWeight: 0.1 },
  { metric: "entropy-non-monotone", generalizationWeight: 0.9 },
  { metric: "discernibility" },
  { metric: "discernibility-star" },
  { metric: "average-class-size" },
  { metric: "precision" },
  { metric: "precision-non-monotone" },
  { metric: "precision-non-monotone", generalizationWeight: 0.2 },
  { metric: "height" },
];
const ks = fc.integer({ min: 1, max: 6 });
const shares = fc.constantFrom(0, 0.05, 0.1, 0.25, 0.5, 1);

describe("the search finds what looking at every generalization finds", () => {
  test.each(METRICS)("%o", (metric) => {
    fc.assert(fc.property(smallTables(), ks, shares, fc.constantFrom(0, 2, 5), (table, k, share, alternatives) => {
      const bound = boundTable(table);
      const slow = slowSearch(table, k, Math.floor(share * table.rows.length + 1e-9), metric);
      const plan = searchKAnonymity({ ...bound, k, maxSuppressedShare: share, metric, alternatives });
      expect(plan === undefined).toBe(slow.length === 0);
      if (plan === undefined) return;
      const found = [plan, ...plan.alternatives];
      expect(found.length).toBe(Math.min(1 + alternatives, slow.length));
      found.forEach((generalization, i) => {
        const { levels, loss, suppressed, classes, smallestClass } = slow[i]!;
        expect(generalization).toMatchObject({ levels, suppressed, classes, smallestClass });
        const scalar = loss.length === 1 ? loss[0]! : loss.reduce((a, b) => a * (1 + b), 1) ** (1 / loss.length) - 1;
        expect(close(generalization.loss, scalar)).toBe(true);
      });
    }), { numRuns: 150 });
  });

  test("with wide codes, which take several words", () => {
    // Keys of 2^11 to 2^13 codes each: five of them do not fit one word.
    fc.assert(fc.property(smallTables(), ks, shares, (table, k, share) => {
      const keys = Math.max(2, table.trees.length);
      const trees = Array.from({ length: keys * 3 }, (_, i) => table.trees[i % table.trees.length]!);
      const rows = table.rows.map((row) => trees.map((_, i) => row[i % table.trees.length]!));
      if (trees.reduce((product, lines) => product * lines[0]!.length, 1) > 5000) return;
      const bound = boundTable({ trees, rows });
      const wide = widened(bound);
      const request = { k, maxSuppressedShare: share, metric: { metric: "loss" } as const };
      expect(withoutEffort(searchKAnonymity({ ...wide, ...request }))).toEqual(withoutEffort(searchKAnonymity({ ...bound, ...request })));
    }), { numRuns: 60 });
  });
});

/** The same table whose codes are spread out, so that every key needs more bits. */
function widened({ cells, hierarchies }: Table): Table {
  const factor = 1000;
  return {
    cells: {
      ...cells,
      sizes: cells.sizes.map((size) => size * factor),
      codes: cells.codes.map((codes) => codes.map((code) => (code < 0 ? -1 : code * factor))),
    },
    hierarchies: hierarchies.map((hierarchy) => ({
      ...hierarchy,
      levels: hierarchy.levels.map((level, l) => {
        const leaves = level.map.length;
        const map = Int32Array.from({ length: leaves * factor }, (_, code) => (l === 0 ? code : level.map[Math.floor(code / factor)]!));
        if (l > 0) return { ...level, map };
        const share = new Float64Array(leaves * factor).fill(level.share[0] ?? 1);
        return { map, share, dictionary: { ...level.dictionary, size: leaves * factor } };
      }),
    })),
  };
}

function withoutEffort<T extends object>(plan: T | undefined): object | undefined {
  if (plan === undefined) return undefined;
  return { ...plan, nodesChecked: 0 };
}

const laws = { numRuns: 120 };
const lawMetrics = fc.constantFrom(...METRICS.filter(({ generalizationWeight = 0.5 }) => generalizationWeight === 0.5));

describe("laws", () => {
  test("a higher k never loses less", () => {
    fc.assert(fc.property(smallTables(), ks, shares, lawMetrics, (table, k, share, metric) => {
      const bound = boundTable(table);
      const lower = searchKAnonymity({ ...bound, k, maxSuppressedShare: share, metric });
      const higher = searchKAnonymity({ ...bound, k: k + 1, maxSuppressedShare: share, metric });
      if (lower === undefined) expect(higher).toBeUndefined();
      else if (higher !== undefined && metric.aggregate !== "rank") expect(higher.loss).toBeGreaterThanOrEqual(lower.loss - 1e-9);
    }), laws);
  });

  test("a higher limit never loses more", () => {
    fc.assert(fc.property(smallTables(), ks, shares, shares, fc.constantFrom(...METRICS), (table, k, a, b, metric) => {
      if (metric.aggregate === "rank") return;
      const bound = boundTable(table);
      const tight = searchKAnonymity({ ...bound, k, maxSuppressedShare: Math.min(a, b), metric });
      const loose = searchKAnonymity({ ...bound, k, maxSuppressedShare: Math.max(a, b), metric });
      if (tight !== undefined) expect(loose!.loss).toBeLessThanOrEqual(tight.loss + 1e-9);
    }), laws);
  });

  test("what is kept is k-anonymous, and the plan says what it is", () => {
    fc.assert(fc.property(smallTables(), ks, shares, lawMetrics, (table, k, share, metric) => {
      const { cells, hierarchies } = boundTable(table);
      const plan = searchKAnonymity({ cells, hierarchies, k, maxSuppressedShare: share, metric });
      if (plan === undefined) {
        const { suppressed, records } = leastSuppressed({ cells, hierarchies, k });
        expect(suppressed).toBeGreaterThan(allowedSuppressions(share, records));
        return;
      }
      const classes = rollUp(cells, plan.levels.map((level, key) => {
        const { map, dictionary } = hierarchies[key]!.levels[level]!;
        return { map, size: dictionary.size };
      }));
      const kept = classes.records.filter((size) => size >= k);
      const released = measureKAnonymity({ ...classes, records: kept }, k);
      expect(released).toMatchObject({ pass: true, recordsAtRisk: 0, classes: plan.classes, smallestClass: plan.smallestClass });
      expect(plan.suppressed).toBe(table.rows.length - released.records);
      expect(plan.suppressed).toBeLessThanOrEqual(share * table.rows.length);
    }), laws);
  });

  test("neither the order of the records nor their codes matter, to the last bit", () => {
    fc.assert(fc.property(smallTables(), fc.infiniteStream(fc.nat()), ks, shares, fc.constantFrom(...METRICS), (table, draws, k, share, metric) => {
      const rows = table.rows.map((row) => ({ row, place: draws.next().value as number }))
        .toSorted((a, b) => a.place - b.place).map(({ row }) => row);
      const request = { k, maxSuppressedShare: share, metric };
      expect(searchKAnonymity({ ...boundTable({ ...table, rows }), ...request })).toEqual(searchKAnonymity({ ...boundTable(table), ...request }));
    }), laws);
  });

  test("one more level never makes the best one worse", () => {
    // Precision and height count levels, so there a new level changes what the old ones cost.
    const metrics = METRICS.filter(({ metric, aggregate }) => !metric.startsWith("precision") && metric !== "height" && aggregate !== "rank");
    fc.assert(fc.property(smallTables(), fc.nat(), ks, shares, fc.constantFrom(...metrics), (table, which, k, share, metric) => {
      const key = which % table.trees.length;
      const trees = table.trees.map((lines, i) => (i === key ? lines.map((line) => [...line, "top"]) : lines));
      const fewer = searchKAnonymity({ ...boundTable(table), k, maxSuppressedShare: share, metric });
      const more = searchKAnonymity({ ...boundTable({ ...table, trees }), k, maxSuppressedShare: share, metric });
      if (fewer !== undefined) expect(more!.loss).toBeLessThanOrEqual(fewer.loss + 1e-9);
    }), laws);
  });

  test("a small memory budget changes effort, not the plan", () => {
    fc.assert(fc.property(smallTables(), ks, shares, lawMetrics, (table, k, share, metric) => {
      const request = { ...boundTable(table), k, maxSuppressedShare: share, metric };
      expect(withoutEffort(searchKAnonymity({ ...request, memoryBudget: 0 }))).toEqual(withoutEffort(searchKAnonymity(request)));
    }), laws);
  });

  test("limits on levels: the best among those within them", () => {
    fc.assert(fc.property(smallTables(), ks, shares, fc.infiniteStream(fc.nat({ max: 3 })), lawMetrics, (table, k, share, draws, metric) => {
      const limits = table.trees.map((lines) => {
        const [a, b] = [draws.next().value as number, draws.next().value as number].map((level) => level % lines[0]!.length);
        return { min: Math.min(a!, b!), max: Math.max(a!, b!) };
      });
      const within = slowSearch(table, k, Math.floor(share * table.rows.length + 1e-9), metric)
        .find(({ levels }) => levels.every((level, key) => level >= limits[key]!.min && level <= limits[key]!.max));
      const plan = searchKAnonymity({ ...boundTable(table), k, maxSuppressedShare: share, metric, limits });
      expect(plan?.levels).toEqual(within?.levels);
    }), laws);
  });

  test("in slices as at once", async () => {
    await fc.assert(fc.asyncProperty(smallTables(), ks, shares, async (table, k, share) => {
      const request = { ...boundTable(table), k, maxSuppressedShare: share, metric: { metric: "loss" } as const };
      expect(await searchKAnonymityInSlices(request, 0)).toEqual(searchKAnonymity(request));
    }), { numRuns: 30 });
  });
});
