/** What the verbs take as data. Kept apart from the corridor, so that measuring loads neither policy nor YAML. */
import { DataError } from "./errors/index.ts";
import type { Platform, Progress } from "./release/index.ts";
import { batchesSource, columnsSource, recordsSource, tableSource } from "./sources/memory/index.ts";
import type { Source } from "./sources/source.ts";

/**
 * Data in any form: path of a file, an Arrow table, record batches (a function that starts them anew, or a stream that
 * can be read once), an array of records, an object of columns, or a Source of your own.
 */
export type SourceInput =
  | string
  | Source
  | Parameters<typeof tableSource>[0]
  | Parameters<typeof batchesSource>[0]
  | readonly object[]
  | Parameters<typeof columnsSource>[0];

/** Every verb can be stopped and watched. */
export interface VerbOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** @throws DataError `source/not-data`, and whatever opening a file throws */
export async function toSource(
  data: SourceInput, platform: Platform, settings: {
    format?: "csv" | "arrow" | "parquet" | undefined;
    delimiter?: string | undefined;
  },
): Promise<Source> {
  if (typeof data === "string") return platform.openFile(data, settings);
  // Before anything is looked for in it: numbers, null and symbols have no properties.
  if (typeof data !== "function" && (typeof data !== "object" || data === null)) {
    throw new DataError("source/not-data", "Expected a file path, an Arrow table, record batches, records or columns.");
  }
  if (Array.isArray(data)) return recordsSource(data as readonly object[], { newHasher: platform.newHasher });
  if (typeof data === "function" || Symbol.asyncIterator in (data as object)) return batchesSource(
    data as Parameters<typeof batchesSource>[0], { newHasher: platform.newHasher },
  );
  if (isSource(data)) return data;
  if ("schema" in data && "batches" in data && !Array.isArray(data.schema)) return tableSource(
    data as Parameters<typeof tableSource>[0], { newHasher: platform.newHasher },
  );
  return columnsSource(data as Parameters<typeof columnsSource>[0], { newHasher: platform.newHasher });
}

function isSource(data: object): data is Source {
  return "open" in data && "columns" in data && typeof data.open === "function" && typeof data.columns === "function";
}

/** Loaded when first needed, so that the checks and types of this door cost nothing. */
export async function loadPlatform(): Promise<Platform> {
  return (await import("./node/platform.ts")).nodePlatform;
}
