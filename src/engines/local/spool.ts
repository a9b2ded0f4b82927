import type { Batch, Column, Dictionary } from "../../columns/index.ts";
import type { Spill, SpillHandle } from "../../columns/spill.ts";
import { InternalError } from "../../errors/index.ts";
import type { ColumnRequest, Pass, PassOptions, Source } from "../../sources/source.ts";
import type { ReadOptions } from "./survey.ts";

/**
 * Keep a stream that can be read once only, so that it can be read again: coded columns go to the spill, dictionaries stay
 * in memory. Only the requested columns are kept.
 * Memory: the dictionaries and one batch; the spill takes 4 bytes per code and 8 per number.
 */
export async function spoolSource(
  source: Source, columns: readonly ColumnRequest[], spill: Spill, options: ReadOptions = {},
): Promise<Source> {
  const schema = await source.columns();
  const pass = await source.open({ columns, ...options });
  const blocks: { records: number; handle: SpillHandle }[] = [];
  const dictionaries: (Dictionary | undefined)[] = columns.map(() => undefined);
  for await (const batch of pass.batches) {
    batch.columns.forEach((column, c) => {
      if (column.kind !== "codes") return;
      if (dictionaries[c] !== undefined && dictionaries[c] !== column.dictionary) {
        throw new InternalError("spool/dictionary-replaced", "A stream replaced a dictionary between batches.");
      }
      dictionaries[c] = column.dictionary;
    });
    blocks.push({ records: batch.records, handle: await spill.append(encoded(batch)) });
  }
  const fingerprint = pass.fingerprint();

  return {
    label: source.label,
    totalBytes: source.totalBytes,
    reopenable: true,
    columns: async () => schema,
    async open(request: PassOptions): Promise<Pass> {
      const wanted = request.columns.map(({ name, as }) => {
        const found = columns.findIndex((column) => column.name === name && column.as === as);
        if (found < 0) throw new InternalError("spool/column", "A column was asked for that was not kept of the stream.", { column: name });
        return found;
      });
      async function* batches(): AsyncGenerator<Batch> {
        for (const { records, handle } of blocks) {
          request.signal?.throwIfAborted();
          const all = decoded(await spill.read(handle), records, columns, dictionaries);
          yield { records, columns: wanted.map((c) => all[c]!) };
        }
      }
      return { batches: batches(), fingerprint: () => fingerprint };
    },
  };
}

function encoded(batch: Batch): Uint8Array {
  const { records } = batch;
  const length = batch.columns.reduce((sum, column) => sum + records * (column.kind === "codes" ? 4 : 8), 0);
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const column of batch.columns) {
    const values = column.kind === "codes" ? column.codes.subarray(0, records) : column.values.subarray(0, records);
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), at);
    at += values.byteLength;
  }
  return bytes;
}

function decoded(
  bytes: Uint8Array, records: number, columns: readonly ColumnRequest[], dictionaries: readonly (Dictionary | undefined)[],
): Column[] {
  let at = 0;
  return columns.map(({ as }, c): Column => {
    const length = records * (as === "codes" ? 4 : 8);
    const own = bytes.slice(at, at + length).buffer; // aligned, whatever came before
    at += length;
    return as === "codes"
      ? { kind: "codes", codes: new Int32Array(own), dictionary: dictionaries[c]! }
      : { kind: "numbers", values: new Float64Array(own) };
  });
}
