/** The file of tables that prove hidden counts, and how it is held against released tables. Little-endian. */
import { DataError } from "../../errors/index.ts";
import { isLittleEndian } from "../../kernels/wasm-module.ts";
import type { AlternativesInput, AuditColumn, Walks } from "../../tables/audit/index.ts";
import type { TableSystem } from "../../tables/tabulate/index.ts";
import type { ByteSink } from "../../sinks/index.ts";
import type { ReleaseReader } from "../platform.ts";
import type { ReadLongTable } from "./long-tables.ts";

/** "prf1" */
const MAGIC = 0x31667270;
const HEADER = 4;

export interface Proof {
  readonly inner: number;
  /** [columns][inner] place of the finest published level. */
  readonly places: readonly Int32Array[];
  /** [inner] a table of counts that agrees. */
  readonly base: Float64Array;
  readonly walks: Walks;
}

/** Header [magic, columns, inner, walks' length], then places [columns][inner], counts [inner] in two words each, walks. */
export async function writeProof(sink: ByteSink, system: TableSystem, walks: Walks): Promise<void> {
  const { columns, margins, marginStarts, places, starts, rows, inner, innerCount } = system;
  const put = async (words: Int32Array): Promise<void> => {
    for (let from = 0; from < words.length; from += 1 << 18) {
      const part = words.subarray(from, from + (1 << 18));
      const bytes = new Uint8Array(part.length * 4);
      const view = new DataView(bytes.buffer);
      for (let k = 0; k < part.length; k++) view.setInt32(4 * k, part[k]!, true);
      await sink.write(bytes);
    }
  };
  await put(Int32Array.of(MAGIC, columns.length, inner, walks.length));
  for (const [k, { levels }] of columns.entries()) {
    const m = margins.findIndex((margin) => margin[k] === levels[0]);
    const own = new Int32Array(inner);
    for (let c = marginStarts[m]!; c < marginStarts[m + 1]!; c++) for (let at = starts[c]!; at < starts[c + 1]!; at++) own[rows[at]!] = places[k]![c]!;
    await put(own);
  }
  const counts = new Int32Array(2 * inner);
  for (let i = 0; i < inner; i++) {
    counts[2 * i] = innerCount[i]! % 2 ** 31;
    counts[2 * i + 1] = Math.floor(innerCount[i]! / 2 ** 31);
  }
  await put(counts);
  await put(walks);
}

/** @throws DataError `verify/proof` for a file that is no such proof. Nothing in it is trusted beyond its shape. */
export async function readProof(reader: ReleaseReader, path: string, columns: readonly AuditColumn[]): Promise<Proof> {
  let words: Int32Array<ArrayBuffer> | undefined;
  const header = new Uint8Array(HEADER * 4);
  let at = 0;
  let bytes: Uint8Array = new Uint8Array(0);
  const expected = (): number => {
    const view = new DataView(header.buffer);
    const [magic, count, inner, length] = [0, 4, 8, 12].map((offset) => view.getInt32(offset, true)) as [number, number, number, number];
    if (magic !== MAGIC || count !== columns.length || inner < 0 || length < 0) throw notAProof();
    return HEADER + (count + 2) * inner + length;
  };
  for await (const chunk of reader.chunks(path)) {
    let from = 0;
    while (at < header.length && from < chunk.length) header[at++] = chunk[from++]!;
    if (at < header.length) continue;
    if (words === undefined) {
      const size = expected();
      if (size * 4 > 2 ** 32) throw notAProof();
      words = new Int32Array(size);
      bytes = new Uint8Array(words.buffer);
      bytes.set(header);
    }
    if (at + chunk.length - from > bytes.length) throw notAProof();
    bytes.set(chunk.subarray(from), at);
    at += chunk.length - from;
  }
  if (words === undefined || at !== bytes.length) throw notAProof();
  if (!isLittleEndian()) {
    const view = new DataView(words.buffer);
    for (let k = 0; k < words.length; k++) words[k] = view.getInt32(4 * k, true);
  }
  const inner = words[2]!;
  const places = columns.map((_, k) => words.subarray(HEADER + k * inner, HEADER + (k + 1) * inner));
  for (const [k, own] of places.entries()) for (let i = 0; i < inner; i++) if (!(own[i]! > 0 && own[i]! < columns[k]!.size)) throw notAProof();
  const base = new Float64Array(inner);
  const counts = HEADER + columns.length * inner;
  for (let i = 0; i < inner; i++) base[i] = words[counts + 2 * i]! + words[counts + 2 * i + 1]! * 2 ** 31;
  return { inner, places, base, walks: words.subarray(counts + 2 * inner) };
}

function notAProof(): DataError {
  return new DataError("verify/proof", "The file of tables that prove hidden counts is not as it was released.");
}

interface Released extends ReadLongTable {
  readonly columnOf: readonly number[];
  /** [margins][dimensions] in the order of the rows. */
  readonly margins: readonly (readonly number[])[];
}

/**
 * Which released rows each inner cell adds to. Rows of a margin ascend by their places, columns in the order of their names, so
 * that none is there twice.
 * @returns undefined when a row that should be there is not, or rows are out of order
 * Time O(inner x margins x log rows).
 */
export function membershipsFrom(
  { inner, places }: Proof, columns: readonly AuditColumn[], tables: readonly Released[],
): (Pick<AlternativesInput, "cells" | "value" | "cellsOf" | "memberships"> & { readonly publishesInner: boolean }) | undefined {
  const memberships = tables.reduce((sum, { margins }) => sum + margins.length, 0);
  const cells = tables.reduce((sum, { rows }) => sum + rows, 0);
  const cellsOf = new Int32Array(inner * memberships);
  const value = new Float64Array(cells);
  const keyOf = new Float64Array(inner);
  let publishesInner = false;
  let offset = 0;
  let member = 0;
  for (const { columnOf, margins, rows, places: placed, count } of tables) {
    value.set(count, offset);
    // Columns by name, as they are numbered; the first varies slowest.
    const dimensions = [...columnOf.keys()].sort((a, b) => columnOf[a]! - columnOf[b]!);
    const keys = new Float64Array(rows);
    for (const d of dimensions) for (let row = 0; row < rows; row++) keys[row] = keys[row]! * columns[columnOf[d]!]!.size + placed[d]![row]!;
    let from = 0;
    for (const margin of margins) {
      keyOf.fill(0);
      for (const d of dimensions) {
        const column = columns[columnOf[d]!]!;
        const up = placesAt(column, margin[d]!);
        const own = places[columnOf[d]!]!;
        for (let i = 0; i < inner; i++) keyOf[i] = keyOf[i]! * column.size + up[own[i]!]!;
      }
      let to = from;
      while (to < rows && margin.every((level, d) => columns[columnOf[d]!]!.level[placed[d]![to]!] === level)) to++;
      for (let row = from + 1; row < to; row++) if (!(keys[row]! > keys[row - 1]!)) return undefined;
      if (to - from === inner) publishesInner = true;
      for (let i = 0; i < inner; i++) {
        const wanted = keyOf[i]!;
        let low = from;
        let high = to;
        while (low < high) {
          const middle = (low + high) >>> 1;
          if (keys[middle]! < wanted) low = middle + 1;
          else high = middle;
        }
        if (low === to || keys[low] !== wanted) return undefined;
        cellsOf[i * memberships + member] = offset + low;
      }
      from = to;
      member++;
    }
    if (from !== rows) return undefined;
    offset += rows;
  }
  return { cells, value, cellsOf, memberships, publishesInner };
}

/** [places] the place at a level, 0 for the total. */
function placesAt({ size, level, parent }: AuditColumn, wanted: number): Int32Array {
  const at = new Int32Array(size);
  if (wanted < 0) return at;
  for (let own = 0; own < size; own++) {
    let place = own;
    while (place > 0 && level[place] !== wanted) place = parent[place]!;
    at[own] = Math.max(place, 0);
  }
  return at;
}
