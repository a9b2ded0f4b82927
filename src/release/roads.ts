import { InternalError } from "../errors/index.ts";
import type { Policy } from "../policy/index.ts";
import type { Road } from "./road.ts";

/** The registry: a new method is one line. A road is loaded when a policy takes it, so that others do not wait for its code. */
const ROADS: Readonly<Record<string, (policy: Policy) => Promise<Road>>> = {
  "k-anonymity": async () => (await import("./roads/microdata.ts")).microdataRoad,
  "small-cells": suppression,
  "cell-suppression": suppression,
  "noisy-counts": async () => (await import("./roads/noisy-counts.ts")).noisyCountsRoad,
  rounding: perturbation,
  "small-count-rounding": perturbation,
  "tabular-adjustment": perturbation,
  "cell-key": perturbation,
};

/** @throws InternalError for a method that policies know and no road carries out */
export async function roadFor(policy: Policy): Promise<Road> {
  const { method } = policy.release.protect[0]!;
  const load = Object.hasOwn(ROADS, method) ? ROADS[method] : undefined;
  if (load === undefined) throw new InternalError("release/no-road", `No road is registered for the method ${method}.`, { method });
  return load(policy);
}

async function suppression({ release }: Policy): Promise<Road> {
  const method = release.protect[0]!;
  if (method.method === "small-cells" && method.secondary === "moves") return (await import("./roads/sparse-tables.ts")).sparseTablesRoad;
  return { method: method.method, ...(await import("./roads/suppression.ts")).suppressionRoad };
}

async function perturbation({ release }: Policy): Promise<Road> {
  const { perturbationRoads } = await import("./roads/perturbation.ts");
  return perturbationRoads.find(({ method }) => method === release.protect[0]!.method)!;
}
