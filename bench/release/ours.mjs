// One release as a process of its own: node ours.mjs FOLDER. Prints what it cost and what it decided, as JSON.
import { join } from "node:path";
import { loadPolicy, release } from "../../dist/node.js";

const folder = process.argv[2];
const { policy } = await loadPolicy(join(folder, "policy.json"));
const { plan, evidence } = await release(policy, { folder, out: join(folder, "release") });
const usage = process.resourceUsage();
console.log(JSON.stringify({
  levels: plan.decision.levels,
  released: evidence.risk.after.records,
  smallestClass: evidence.risk.after.smallestClass,
  peakMegabytes: Math.round(usage.maxRSS / 1024),
  cpuSeconds: (usage.userCPUTime + usage.systemCPUTime) / 1e6,
}));
