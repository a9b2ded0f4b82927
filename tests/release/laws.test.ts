/** Laws of whole releases, on small random tables and policies. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { apply, plan, release, type PolicyInput } from "../../src/index.ts";
import { FORMS, inForm, Random } from "./data.ts";
import { countsByCell, microdataPolicy, people, PEOPLE_TYPES, recordsOfCounts, smallCellsPolicy } from "./scenarios.ts";
import { differences, workFolder } from "./walk.ts";

const work = workFolder("laws");
afterAll(work.remove);

const RUNS = process.env["FULL"] === "1" ? 200 : 12;
const TIMEOUT = 10_000 * RUNS;
const seeds = (): fc.Arbitrary<number> => fc.nat({ max: 1_000_000 });

test("released microdata are k-anonymous by a count that shares nothing with the library", async () => {
  await fc.assert(
    fc.asyncProperty(seeds(), fc.integer({ min: 2, max: 12 }), fc.integer({ min: 0, max: 250 }), fc.constantFrom(0.1, 0.5, 1), async (seed, k, records, maxSuppressedShare) => {
      const folder = work.sub();
      const data = people(new Random(seed), records);
      const source = await inForm("csv", data, folder);
      const policy = microdataPolicy({ k, formats: ["csv"], maxSuppressedShare });
      const released = await release(policy, { source, out: join(folder, "out") }).catch((error: { code: string }) => error.code);
      if (typeof released === "string") {
        expect(released).toMatch(/^(k-anonymity\/no-solution|policy\/override-without-effect)$/);
        return;
      }
      const rows = parse(readFileSync(join(folder, "out/public/people.csv")), { columns: true }) as Record<string, string>[];
      const sizes = new Map<string, number>();
      for (const { age, county, sex } of rows) {
        const key = JSON.stringify([age, county, sex]);
        sizes.set(key, (sizes.get(key) ?? 0) + 1);
      }
      for (const size of sizes.values()) expect(size).toBeGreaterThanOrEqual(k);
      expect(rows.length).toBeGreaterThanOrEqual(Math.ceil((1 - maxSuppressedShare) * records - 1e-9));
      // Every released amount is one of the input's, with its multiplicity or fewer.
      const left = new Map<string, number>();
      for (const row of data.rows) left.set(row[4] ?? "", (left.get(row[4] ?? "") ?? 0) + 1);
      for (const { income } of rows) {
        expect(left.get(income!) ?? 0).toBeGreaterThan(0);
        left.set(income!, left.get(income!)! - 1);
      }
    }),
    { numRuns: RUNS },
  );
}, TIMEOUT);

test("the same content in any form and cut gives the same plan and the same public bytes", async () => {
  await fc.assert(
    fc.asyncProperty(seeds(), fc.shuffledSubarray([...FORMS], { minLength: 2, maxLength: 3 }), fc.boolean(), async (seed, forms, tables) => {
      const random = new Random(seed);
      const data = tables ? recordsOfCounts(random, countsByCell(random)) : people(random, 150);
      const policy = tables ? smallCellsPolicy() : microdataPolicy();
      const made: { decision: string; folder: string }[] = [];
      for (const form of forms) {
        const folder = work.sub();
        const source = await inForm(form, data, folder, { ...(tables ? {} : PEOPLE_TYPES), seed: random.below(1e9) });
        const { plan: its, directory } = await release(policy, { source, out: join(folder, "out") });
        made.push({ decision: JSON.stringify([its.decision, its.assessment, its.requirements]), folder: join(directory, "public") });
      }
      for (const other of made.slice(1)) {
        expect(other.decision).toBe(made[0]!.decision);
        expect(differences(made[0]!.folder, other.folder)).toEqual([]);
      }
    }),
    { numRuns: RUNS },
  );
}, TIMEOUT);

test("higher k never loses less", async () => {
  await fc.assert(
    fc.asyncProperty(seeds(), fc.constantFrom("loss", "precision", "discernibility", "average-class-size", "entropy-non-monotone") as fc.Arbitrary<string>, async (seed, metric) => {
      // Null stays a category of its own at every level, so without it there always is a solution.
      const { names, rows } = people(new Random(seed), 200);
      const source = (await inForm("csv", { names, rows: rows.map((row) => row.with(3, row[3] ?? "f")) }, work.sub())) as string;
      let before = -Infinity;
      // Without withheld records the choice shrinks as k grows, whatever the metric.
      for (const k of [11, 14, 20, 40]) {
        const policy = structuredClone(microdataPolicy({ k, maxSuppressedShare: 0 })) as any;
        policy.release.protect[0].metric = metric;
        policy.columns.sex.hierarchy = { kind: "suppress" };
        const made = await plan(policy as PolicyInput, { source });
        const { loss } = made.decision as unknown as { loss: number };
        expect(loss).toBeGreaterThanOrEqual(before);
        before = loss;
      }
    }),
    { numRuns: RUNS },
  );
}, TIMEOUT);

test("a raised classification never weakens a requirement", async () => {
  await fc.assert(
    fc.asyncProperty(seeds(), fc.boolean(), async (seed, tables) => {
      const random = new Random(seed);
      const source = (await inForm("csv", tables ? recordsOfCounts(random, countsByCell(random)) : people(random, 100), work.sub())) as string;
      let before: Map<string, number> | undefined;
      for (const classification of ["low", "unknown", "moderate", "high"] as const) {
        const policy = structuredClone(tables ? smallCellsPolicy() : microdataPolicy({ k: 25 })) as any;
        if (tables) delete policy.release.protect[0].interval;
        const { requirements } = await plan({ ...policy, classification } as PolicyInput, { source });
        const now = new Map<string, number>(requirements.map(({ requirement, required }) => [requirement, required]));
        for (const [name, value] of before ?? []) expect(now.get(name) ?? -Infinity).toBeGreaterThanOrEqual(value);
        before = now;
      }
    }),
    { numRuns: Math.ceil(RUNS / 3) },
  );
}, TIMEOUT);

test("plan, saved, read and applied, is release", async () => {
  await fc.assert(
    fc.asyncProperty(seeds(), fc.boolean(), fc.constantFrom("csv", "table", "parquet", "stream") as fc.Arbitrary<"csv">, async (seed, tables, form) => {
      const random = new Random(seed);
      const data = tables ? recordsOfCounts(random, countsByCell(random)) : people(random, 120);
      const policy = tables ? smallCellsPolicy() : microdataPolicy({ k: 3 });
      const [one, two] = [work.sub(), work.sub()];
      const source = () => inForm(form, data, one, { ...(tables ? {} : PEOPLE_TYPES), seed });
      const saved = JSON.stringify(await plan(policy, { source: await source() }), undefined, 2);
      await apply(saved, { source: await source(), out: join(two, "out") });
      await release(policy, { source: await source(), out: join(one, "out") });
      expect(differences(join(one, "out/public"), join(two, "out/public"))).toEqual([]);
    }),
    { numRuns: RUNS },
  );
}, TIMEOUT);
