/** Releases in memory: the same files as in a folder, all or none. */
import { tableFromIPC } from "apache-arrow";
import { afterAll, expect, test } from "vitest";
import { apply, MemoryRelease, plan, release, verify, type PolicyInput } from "../../src/index.ts";
import { inForm, Random } from "./data.ts";
import { countsByCell, microdataPolicy, people, recordsOfCounts, smallCellsPolicy } from "./scenarios.ts";
import { filesOf, workFolder } from "./walk.ts";

const work = workFolder("memory-release");
afterAll(work.remove);

const random = new Random(11);
const table = recordsOfCounts(random, countsByCell(random));
const scenes: [string, PolicyInput, Parameters<typeof inForm>[1]][] = [
  ["records", microdataPolicy(), people(random, 300)],
  ["a table", smallCellsPolicy({ formats: ["csv", "arrow", "parquet"] }), table],
];

test.each(scenes)("%s: byte for byte as in a folder, and verified", async (_, policy, data) => {
  const source = await inForm("records", data, work.sub());
  const out = new MemoryRelease();
  const { directory, evidence } = await release(policy, { source, out });
  expect([directory, evidence.verdict]).toEqual(["memory", "pass"]);
  const folder = `${work.sub()}/out`;
  await release(policy, { source, out: folder });
  expect(new Map([...out.files].map(([path, bytes]) => [path, Buffer.from(bytes).toString("latin1")]))).toEqual(filesOf(folder));
  expect((await verify(out)).verdict).toBe("pass");
  const arrow = [...out.files].find(([path]) => path.endsWith(".arrow"))![1];
  expect(tableFromIPC(arrow).numRows).toBeGreaterThan(0);
});

test("a release that fails leaves the one before, and a changed byte fails verification", async () => {
  const source = await inForm("records", table, work.sub());
  const out = new MemoryRelease();
  expect(out.files.size).toBe(0);
  await release(smallCellsPolicy({ formats: ["csv"] }), { source, out });
  const before = new Map(out.files);
  await expect(release(microdataPolicy({ k: 5, maxSuppressedShare: 0 }), { source, out })).rejects.toThrow();
  expect(out.files).toEqual(before);
  // What was verified and published is not replaced by something that was not.
  await expect(apply(await plan(smallCellsPolicy({ formats: ["csv"] }), { source }), { source, out })).rejects.toMatchObject({ code: "output/published" });
  await expect(release(smallCellsPolicy(), { source, out, ledger: "ledger.jsonl" })).rejects.toMatchObject({ code: "ledger/no-folder" });

  const [, data] = [...out.files].find(([path]) => path.startsWith("public/") && path.endsWith(".csv"))!;
  data[data.length - 2]! ^= 1;
  expect((await verify(out)).verdict).toBe("fail");
});
