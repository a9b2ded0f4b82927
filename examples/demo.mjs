/**
 * Three releases from the sample data beside this file, under demo-release/: records, a table of counts, and noisy counts.
 * Run by `npm run demo`.
 */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { release } from "commensurate";
import { loadPolicy } from "commensurate/node";

const out = fileURLToPath(new URL("../demo-release/", import.meta.url));
const started = performance.now();

/** Requirements with a number. */
const SCALED = new Set(["minimum-class-size", "minimum-frequency", "minimum-interval", "maximum-rho", "maximum-epsilon"]);

console.log("Three releases, each planned, written, read back, attacked and only then published.\n");

// ---- Records of people ----------------------------------------------------------------------------------------------------
{
  const { policy, folder } = await loadPolicy(example("microdata.yaml"));
  const { plan, evidence, directory } = await release(policy, { folder, out: `${out}microdata` });
  const { levels, k, suppressedRecords, classes } = plan.decision;
  heading("1. Records: 30,162 adults of the 1994 US census (real)", plan);
  const coarser = Object.keys(levels).filter((name) => levels[name] > 0);
  say("Decided", `Of ${Object.keys(levels).length} columns that a neighbour may know, ${list(coarser)} are made coarser, the others stay.`);
  say("", `Every combination of them is shared by at least ${k} records, in ${number(classes)} groups.`);
  say("Hidden", `${number(suppressedRecords)} of ${number(plan.input.records)} records that would still stand out are left out.`);
  say("Risk", `Records alone in their group: ${percent(plan.assessment.measured.shareOfUniques)} before, none after; smallest group now ${evidence.risk.after.smallestClass}.`);
  verified(evidence);
  await show(directory, "adult-extract.csv", 4);
}

// ---- A table of counts ----------------------------------------------------------------------------------------------------
{
  const { policy, folder } = await loadPolicy(example("table.yaml"));
  const { plan, evidence, directory } = await release(policy, { folder, out: `${out}table` });
  const { rule, cells } = plan.decision;
  heading("2. A table: people by county, race and sex, with every total (made-up people)", plan);
  say("Decided", `Counts from 1 to ${rule.threshold - 1} are not shown: ${number(cells.primary)} of them.`);
  say("Hidden", `${number(cells.complementary)} more counts, so that none of the small ones can be computed from the totals;`);
  say("", `somebody who knows every number shown cannot narrow one to fewer than ${rule.interval} values.`);
  verified(evidence);
  await show(directory, "county-race-sex.csv", 6, (line) => /^Amador,(?:\(total\)|White|Black),/.test(line));
}

// ---- Noisy counts -----------------------------------------------------------------------------------------------------------
{
  const { policy, folder } = await loadPolicy(example("noisy.yaml"));
  const { plan, evidence, directory } = await release(policy, { folder, out: `${out}noisy` });
  const { tables, maxRecordsPerContributor, equivalent } = plan.decision;
  heading("3. Noisy counts: visits to six clinics by reason (made-up patients)", plan);
  say("Decided", `Noise on every count; at most ${maxRecordsPerContributor} visits of one patient count.`);
  say("Budget", `rho = ${policy.release.protect[0].rho} for both tables together, which implies epsilon = ${equivalent.epsilon} at delta = ${equivalent.delta}.`);
  say("Accuracy", `19 of 20 counts are within ${tables[0].figures.within95} of the count of those visits; totals vary more.`);
  verified(evidence);
  await show(directory, "clinic-by-reason.csv", 4);
}

console.log(`All of it took ${((performance.now() - started) / 1000).toFixed(1)} s. Look at:`);
console.log("  demo-release/*/public/README.md        what a reader of the data is told");
console.log("  demo-release/*/public/                 what would be published");
console.log("  demo-release/*/internal/evidence.json  what was checked, and with what result");
console.log("  examples/*.yaml                        the policies that say what to do; change one and run again");

function heading(title, plan) {
  console.log(title);
  const { assessment, requirements } = plan;
  const raised = assessment.reasons.map(({ inputs }) => `; ${inputs.join(", ")}`).join("");
  say("Risk", `${assessment.tier} (declared ${assessment.declared}${raised}).`);
  for (const { requirement, value, rules } of requirements) {
    if (SCALED.has(requirement)) say("Required", `${requirement} ${value}, by ${rules.join(", ")}.`);
  }
}

function verified({ checks, verdict }) {
  say("Verified", `${checks.filter(({ pass }) => pass).length} of ${checks.length} checks of the written files passed: ${verdict}.`);
}

/** The first lines of a released file, under its header. */
async function show(directory, file, lines, wanted = () => true) {
  const [header, ...rows] = (await readFile(`${directory}/public/${file}`, "utf8")).trimEnd().split("\n");
  console.log(`\n  ${directory.slice(out.length - "demo-release/".length)}/public/${file}`);
  for (const line of [header, ...rows.filter(wanted).slice(0, lines)]) console.log(`    ${line}`);
  console.log("");
}

function say(label, text) {
  console.log(`  ${label.padEnd(9)} ${text}`);
}

function example(name) {
  return fileURLToPath(new URL(name, import.meta.url));
}

function number(value) {
  return value.toLocaleString("en-US");
}

function percent(share) {
  return `${(share * 100).toFixed(1)} %`;
}

function list(names) {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
