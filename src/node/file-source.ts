import { basename } from "node:path";
import type { CsvFileRanges } from "../engines/local/file-ranges.ts";
import { DataError, PolicyError } from "../errors/index.ts";
import type { ByteSource } from "../sources/bytes.ts";
import { csvSource, readCsvHeader, type CsvDelimiter } from "../sources/csv/index.ts";
import type { Source } from "../sources/source.ts";
import { openFileBytes } from "./file-bytes.ts";
import { openFileRandomAccess } from "./file-random-access.ts";
import { createHasher } from "./hash.ts";
import { identify, refuseChanged } from "./input-file.ts";
import type { RangedSource } from "./lanes.ts";
import { TreeHasher } from "./tree-hash.ts";

export interface FileSettings {
  readonly format?: "csv" | "arrow" | "parquet" | undefined;
  readonly delimiter?: string | undefined;
}

const FORMATS: readonly (readonly [RegExp, "csv" | "arrow" | "parquet"])[] = [
  [/\.(csv|tsv|tab|txt)(\.gz)?$/i, "csv"],
  [/\.(arrow|arrows|feather|ipc)$/i, "arrow"],
  [/\.(parquet|pq)$/i, "parquet"],
];

/**
 * A data file as a source. Libraries of binary formats are loaded when first needed.
 * @throws DataError `source/...` when the file cannot be read; PolicyError `source/unknown-format`
 */
export async function openFileSource(path: string, settings: FileSettings = {}): Promise<Source> {
  const format = settings.format ?? FORMATS.find(([ending]) => ending.test(path))?.[1];
  switch (format) {
    case "csv":
      return csvFile(path, delimiterOf(settings.delimiter ?? (/\.(tsv|tab)(\.gz)?$/i.test(path) ? "\t" : ",")));
    case "arrow": {
      const { arrowSource } = await import("../sources/arrow/index.ts");
      return arrowSource(() => openFileRandomAccess(path), { label: basename(path), newHasher: createHasher });
    }
    case "parquet": {
      const { openParquetFile } = await import("./parquet-file.ts");
      return openParquetFile(path);
    }
    case undefined:
      throw new PolicyError(
        "source/unknown-format",
        `The ending of "${basename(path)}" does not tell its format. Expected .csv, .csv.gz, .tsv, .arrow or .parquet; or state source.format.`,
      );
  }
}

function delimiterOf(text: string): CsvDelimiter {
  if (text === "," || text === ";" || text === "\t" || text === "|") return text;
  throw new PolicyError("source/unknown-delimiter", 'The delimiter must be one of "," ";" "|" or a tab ("\\t").');
}

async function csvFile(path: string, delimiter: CsvDelimiter): Promise<Source | RangedSource> {
  const bytes: ByteSource = { ...(await openFileBytes(path)), hasher: () => new TreeHasher() };
  const source = csvSource(bytes, { delimiter });
  if (!bytes.reopenable || /\.gz$/i.test(path)) return source;
  const { identity } = await identify(path);
  return {
    ...source,
    async ranges(): Promise<CsvFileRanges | undefined> {
      const access = await openFileRandomAccess(path);
      try {
        const start = await access.read(0, Math.min(access.size, 1 << 20));
        const header = readCsvHeader(start, delimiter, start.length === access.size);
        return header && { path, bytes: access.size, dataStart: header.end, delimiter, names: header.names };
      } catch (error) {
        if (error instanceof DataError) return undefined; // reading in order says what is wrong
        throw error;
      } finally {
        await access.close();
      }
    },
    refuseChanged: () => refuseChanged(path, identity),
  };
}
