/** One release of a large file with threads, in the way the test asks for. Prints the outcome as JSON. */
import { appendFileSync, readFileSync } from "node:fs";
import { release } from "../../src/index.ts";

const [, , policyFile, source, out, mode] = process.argv;
const policy = JSON.parse(readFileSync(policyFile!, "utf8"));
const stop = new AbortController();
const phases = new Set<string>();
let asked = 0;
let reports = 0;
process.send?.("started");
const outcome = await release(policy, {
  source: source!,
  out: out!,
  signal: stop.signal,
  onProgress: ({ phase, done }) => {
    reports++;
    if (mode === `throw-${phase}` && done > 0) throw new RangeError("mine");
    if (phases.has(phase)) return;
    phases.add(phase);
    if (mode === `append-${phase}`) appendFileSync(source!, "x\n");
    if (mode === `abort-${phase}`) {
      asked = performance.now();
      setTimeout(() => stop.abort(), 20);
    }
  },
}).then(
  ({ evidence, plan }) => ({ verdict: evidence.verdict, fingerprint: plan.input.fingerprint, records: plan.input.records }),
  (error: Error & { code?: string }) => ({ name: error.name, code: error.code, message: error.message }),
);
process.stdout.write(JSON.stringify({ ...outcome, afterAbort: asked === 0 ? undefined : performance.now() - asked, reports, maxRss: process.resourceUsage().maxRSS }));
