import { InternalError } from "../errors/index.ts";
import type { Policy } from "../policy/index.ts";
import type { Road } from "./road.ts";
import { microdataRoad } from "./roads/microdata.ts";
import { noisyCountsRoad } from "./roads/noisy-counts.ts";
import { perturbationRoads } from "./roads/perturbation.ts";
import { isSparse, sparseTablesRoad } from "./roads/sparse-tables.ts";
import { suppressionRoad } from "./roads/suppression.ts";

/** The registry: a new method is one line. */
const ROADS: readonly Road[] = [
  microdataRoad,
  { method: "small-cells", ...suppressionRoad },
  { method: "cell-suppression", ...suppressionRoad },
  noisyCountsRoad,
  ...perturbationRoads,
];

export function roadFor(policy: Policy): Road {
  if (isSparse(policy)) return sparseTablesRoad;
  const method = policy.release.protect[0]!.method;
  const road = ROADS.find((candidate) => candidate.method === method);
  if (road === undefined) throw new InternalError("release/no-road", `No road is registered for the method ${method}.`, { method });
  return road;
}
