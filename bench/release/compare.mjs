// End to end: node bench/release/compare.mjs [RECORDS] [ROUNDS]
// A k = 5 release of a CSV of synthetic Californians (9 columns, about 63 bytes a record), whole process including
// verification, beside DuckDB writing the CSV of a window count and filter. The two take turns, so that their ratio holds when
// the machine's speed drifts. The answer is checked first: both must release the same number of records.
import { execFile } from "node:child_process";
import { copyFile, mkdir, rm, stat } from "node:fs/promises";
import { cpus, loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";

const records = Number(process.argv[2] ?? (process.env.BENCH_FAST === "1" ? 100_000 : 5_000_000));
const rounds = Number(process.argv[3] ?? (process.env.BENCH_FAST === "1" ? 1 : 5));
const run = promisify(execFile);
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const folder = here("../../.bench/release/");

await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });
await copyFile(here("policy.json"), `${folder}policy.json`);
await build({ entryPoints: [here("../generate-people.ts")], bundle: true, platform: "node", format: "esm", outfile: `${folder}generate.mjs`, logLevel: "error" });
const { writePeople } = await import(`${folder}generate.mjs`);
await writePeople(`${folder}people.csv`, { records, seed: 7, populationPath: here("../../examples/data/california-population-2020.csv") });
const { size } = await stat(`${folder}people.csv`);
console.log(`${records} records, ${(size / 1e6).toFixed(0)} MB; Node ${process.version}; ${cpus().length} processors; load ${loadavg()[0].toFixed(1)}`);

async function timed(script, ...args) {
  // Both write a file that is not there yet: taking an old one away is not the job.
  await Promise.all([rm(`${folder}release`, { recursive: true, force: true }), rm(`${folder}duckdb.csv`, { force: true })]);
  const start = performance.now();
  const { stdout } = await run(process.execPath, [here(script), folder, ...args], { maxBuffer: 1 << 24 });
  return { seconds: (performance.now() - start) / 1000, ...JSON.parse(stdout) };
}

const first = await timed("ours.mjs");
const levels = JSON.stringify(first.levels);
const same = await timed("duckdb.mjs", levels);
if (same.released !== first.released) throw new Error(`Released ${first.released} records, SQL ${same.released}: not the same job.`);
console.log(`same answer: ${first.released} records released at levels ${levels}, smallest class ${first.smallestClass}`);

const rows = { ours: [], "SQL at the same levels": [], "SQL on raw values": [] };
for (let round = 0; round < rounds; round++) {
  rows.ours.push(await timed("ours.mjs"));
  rows["SQL at the same levels"].push(await timed("duckdb.mjs", levels));
  rows["SQL on raw values"].push(await timed("duckdb.mjs", "raw"));
}
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
for (const [name, results] of Object.entries(rows)) {
  const seconds = results.map((result) => result.seconds);
  console.log(
    `${name.padEnd(24)} median ${median(seconds).toFixed(2)} s (${Math.min(...seconds).toFixed(2)} to ${Math.max(...seconds).toFixed(2)}), ` +
      `CPU ${median(results.map((result) => result.cpuSeconds)).toFixed(1)} s, peak ${Math.max(...results.map((result) => result.peakMegabytes))} MB`,
  );
}
for (const name of ["SQL at the same levels", "SQL on raw values"]) {
  const ratios = rows.ours.map((result, round) => result.seconds / rows[name][round].seconds);
  console.log(`ratio ours / ${name}: median ${median(ratios).toFixed(2)} (${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)})`);
}
console.log(`load ${loadavg()[0].toFixed(1)}`);
