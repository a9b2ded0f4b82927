/** Publishes one release after another until it is killed. Run by the kill tests as its own process. */
import { openStaging } from "../../src/node/staging.ts";

const [, , target, kind] = process.argv;
for (let i = 0; ; i++) {
  const mark = String(i % 10);
  const staging = await openStaging(target!, { versions: kind === "versions" });
  if (i === 0) process.send?.("started");
  await staging.writeText("public/a.csv", mark.repeat(1000));
  await staging.writeText("public/deep/b.csv", mark.repeat(1000));
  await staging.writeText("internal/plan.json", mark);
  await staging.writeText("public/manifest.json", mark);
  await staging.publish();
}
