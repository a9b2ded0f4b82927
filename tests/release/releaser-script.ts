/** Releases the same data again and again until it is killed, or once. Run by tests as a process of its own. */
import { readFileSync } from "node:fs";
import { release } from "../../src/index.ts";

const [, , policyFile, source, out, times] = process.argv;
const policy = JSON.parse(readFileSync(policyFile!, "utf8"));
process.send?.("started");
for (let i = 0; i < Number(times); i++) {
  const { evidence } = await release({ ...policy, dataset: { ...policy.dataset, version: String(i) } }, { source: source!, out: out! });
  process.stdout.write(`${evidence.verdict}\n`);
  process.send?.("released");
}
process.disconnect?.();
