import { foldWithDictionaries } from "./cells/index.ts";
import { closestName, PolicyError } from "./errors/index.ts";
import { belowK, measureCells, type ClassRisk } from "./microdata/risk/index.ts";
import { loadPlatform, toSource, type SourceInput, type VerbOptions } from "./source-input.ts";

export interface AssessOptions extends VerbOptions {
  /** Columns that an intruder may know; every column when absent. */
  readonly keys?: readonly string[] | undefined;
  /** Records in classes smaller than this are at risk. Default 5. */
  readonly k?: number | undefined;
  readonly format?: "csv" | "arrow" | "parquet" | undefined;
  readonly delimiter?: string | undefined;
}

export interface Assessment extends ClassRisk {
  readonly keys: readonly string[];
  readonly k: number;
  /** Records in classes smaller than k. */
  readonly recordsAtRisk: number;
  readonly classesAtRisk: number;
}

/** Measure how far records can be singled out by key columns. Reads the data once; publishes nothing. */
export async function assess(data: SourceInput, options: AssessOptions = {}): Promise<Assessment> {
  const platform = await loadPlatform();
  const source = await toSource(data, platform, options);
  const names = (await source.columns()).map(({ name }) => name);
  const keys = options.keys ?? names;
  const unknown = keys.find((key) => !names.includes(key));
  if (unknown !== undefined) {
    const close = closestName(unknown, names);
    throw new PolicyError(
      "assess/unknown-key",
      `There is no column ${JSON.stringify(unknown)}.` +
        (close === undefined ? "" : ` Did you mean ${JSON.stringify(close)}?`),
      { key: unknown },
    );
  }
  const pass = await source.open({
    columns: keys.map((name) => ({ name, as: "codes" })),
    signal: options.signal,
    onBytes: (done) => options.onProgress?.({ phase: "survey", done, total: source.totalBytes, unit: "bytes" }),
  });
  const { cells } = await foldWithDictionaries(pass.batches, { keys: keys.map((name, column) => ({ name, column })) });
  const risk = measureCells(cells);
  const k = options.k ?? 5;
  const at = belowK(risk, k);
  return { keys, k, recordsAtRisk: at.records, classesAtRisk: at.classes, ...risk };
}
