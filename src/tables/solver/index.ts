import type { Highs } from "highs";

/** The solver is 4 MB and needed only where nothing simpler decides, so it is loaded on first use. */
export function loadSolver(): Promise<Highs> {
  // The package's types describe its CommonJS form; the ES module's default export is the loader itself.
  solver ??= (import("highs") as unknown as Promise<{ readonly default: () => Promise<Highs> }>).then(({ default: load }) => load());
  return solver;
}

/** One instance serves all methods; it keeps nothing of a model that was disposed of. */
let solver: Promise<Highs> | undefined;
