// The same job in SQL as a process of its own: node duckdb.mjs FOLDER LEVELS. Window count over the keys and filter; no search,
// no check, no verification. LEVELS is "raw" or the JSON of the levels that the plan chose.
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";

const [folder, levels] = process.argv.slice(2);
const at = levels === "raw" ? {} : JSON.parse(levels);
const KEYS = ["county", "race_ethnicity", "sex", "age", "zip", "education"];
const WIDTHS = [1, 5, 10, 20];

function generalized(key) {
  const level = at[key] ?? 0;
  if (level === 0) return key;
  if (key === "age" && level < WIDTHS.length) {
    const width = WIDTHS[level];
    const low = `(age::INTEGER // ${width} * ${width})`;
    return `CASE WHEN age::INTEGER >= 90 THEN '90+' ELSE ${low} || '-' || least(${low} + ${width - 1}, 89) END`;
  }
  if (key === "zip" && level === 1) return "left(zip, 3) || '**'";
  return "'*'";
}

const instance = await DuckDBInstance.create(":memory:", { threads: "2" });
const connection = await instance.connect();
const written = await connection.runAndReadAll(`
  COPY (
    SELECT ${KEYS.join(", ")}, diagnosis, cost
    FROM (
      SELECT *, count(*) OVER (PARTITION BY ${KEYS.join(", ")}) AS class_size
      FROM (
        SELECT ${KEYS.map((key) => `${generalized(key)} AS ${key}`).join(", ")}, diagnosis, cost
        FROM read_csv('${join(folder, "people.csv")}', header = true, all_varchar = true)
      )
    )
    WHERE class_size >= 5
  ) TO '${join(folder, "duckdb.csv")}' (HEADER)`);
const usage = process.resourceUsage();
console.log(JSON.stringify({
  released: Number(written.getRows()[0][0]),
  peakMegabytes: Math.round(usage.maxRSS / 1024),
  cpuSeconds: (usage.userCPUTime + usage.systemCPUTime) / 1e6,
}));
