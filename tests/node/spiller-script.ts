/** Appends to a spill until it is killed. Run by the spill tests as its own process. */
import { createSpill } from "../../src/node/spill-file.ts";

const spill = await createSpill(process.argv[2]!);
process.send?.("started");
for (;;) await spill.append(Buffer.alloc(1_000_000, "CANARY-rows"));
