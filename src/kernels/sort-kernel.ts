import { FunctionBody, get, i32, I32, i64, I64, isLittleEndian, moduleBytes, plus } from "./wasm-module.ts";

/**
 * Sorting of 32-bit or 64-bit keys, or of 64-bit keys with a count each, by WebAssembly: least significant digits first, as
 * `sortWords`, but a key moves as one. Entries are [word], [low word, high word] or [low word, high word, count as a double].
 */
export type SortedKind = "word" | "pair" | "counted";

export interface SortKernel {
  /** [size x 1, 2 or 4] entries as 32-bit words, to be filled in before `sort`. */
  readonly entries: Int32Array;
  /** Entries with counts as doubles: number 2 i + 1 is the count of entry i. */
  readonly doubles: Float64Array;
  /** Sort by the lowest `bits` bits. Time O(size x bits / 11). */
  sort(bits: number): SortedEntries;
}

export interface SortedEntries extends Pick<SortKernel, "entries" | "doubles"> {
  /**
   * Distinct entries without counts, and one past the last place of each; to be asked for once. Time O(size), without a branch
   * that depends on the entries.
   */
  joinRuns(): { readonly distinct: number; readonly entries: Int32Array; readonly ends: Uint32Array };
}

const DIGIT_BITS = 11;
const DIGITS = 1 << DIGIT_BITS;
const PAGE = 65_536;
/** Two halves of at most a gigabyte, so that addresses stay far below 2^32. */
const MOST_BYTES = 2 ** 30;

let compiled: WebAssembly.Module | null | undefined;

const ENTRY_BYTES = { word: 4, pair: 8, counted: 16 };

/** Undefined where there is no WebAssembly, or no memory for so many entries. */
export function sortKernel(size: number, kind: SortedKind): SortKernel | undefined {
  const bytes = size * ENTRY_BYTES[kind];
  if (bytes > MOST_BYTES || typeof WebAssembly === "undefined" || !isLittleEndian()) return undefined;
  try {
    compiled ??= new WebAssembly.Module(sortModule());
    // Counters, both halves a multiple of eight, ends of runs.
    const halfBytes = Math.ceil(bytes / 8) * 8;
    const endsAt = PAGE + halfBytes * 2;
    const memory = new WebAssembly.Memory({ initial: Math.ceil((endsAt + (kind === "counted" ? 0 : size * 4)) / PAGE) });
    const { exports } = new WebAssembly.Instance(compiled, { memory: { memory } });
    const pass = exports[kind] as (from: number, to: number, end: number, shift: number) => void;
    const counts = new Uint32Array(memory.buffer, 0, DIGITS);
    const viewAt = (at: number): Pick<SortKernel, "entries" | "doubles"> => ({
      entries: new Int32Array(memory.buffer, at, bytes / 4),
      doubles: new Float64Array(memory.buffer, at, Math.floor(bytes / 8)),
    });
    return {
      ...viewAt(PAGE),
      sort(bits) {
        let from = PAGE;
        let to = PAGE + halfBytes;
        for (let shift = 0; shift < bits && size > 0; shift += DIGIT_BITS) {
          counts.fill(0);
          pass(from, to, from + bytes, shift);
          [from, to] = [to, from];
        }
        return {
          ...viewAt(from),
          joinRuns() {
            const join = exports[kind === "word" ? "joinWords" : "joinPairs"] as (from: number, to: number, end: number, ends: number) => number;
            const distinct = size === 0 ? 0 : join(from, to, from + bytes, endsAt);
            return { distinct, entries: viewAt(to).entries, ends: new Uint32Array(memory.buffer, endsAt, distinct) };
          },
        };
      },
    };
  } catch {
    return undefined;
  }
}

function sortModule(): Uint8Array<ArrayBuffer> {
  return moduleBytes([
    { name: "word", body: passBody("word") },
    { name: "pair", body: passBody("pair") },
    { name: "counted", body: passBody("counted") },
    { name: "joinWords", body: joinBody("word") },
    { name: "joinPairs", body: joinBody("pair") },
  ]);
}

/** One pass: from[..end) to `to`, ordered by the digit that begins at bit `shift`. The counters at 0 must be zero. */
function passBody(kind: SortedKind): FunctionBody {
  const entryBytes = ENTRY_BYTES[kind];
  const f = new FunctionBody([I32, I32, I32, I32]);
  const [from, to, end, shift] = [f.param(0), f.param(1), f.param(2), f.param(3)];
  const at = f.local(I32);
  const counter = f.local(I32);
  const place = f.local(I32);
  const held = f.local(I32);
  const key = f.local(kind === "word" ? I32 : I64);
  const longShift = f.local(I64);
  const shifted = kind === "word" ? i32.shiftRight(get(key), get(shift)) : i32.ofI64(i64.shiftRight(get(key), get(longShift)));
  const counterOf = i32.shiftLeft(i32.and(shifted, i32.const(DIGITS - 1)), i32.const(2));
  const forEachEntry = (body: () => void): void => {
    f.set(at, get(from));
    f.loop((again) => {
      f.set(key, (kind === "word" ? i32 : i64).load(get(at)));
      f.set(counter, counterOf);
      body();
      f.set(at, plus(at, entryBytes));
      f.branchIf(again, i32.lessU(get(at), get(end)));
    });
  };

  f.set(longShift, i64.ofI32(get(shift)));
  forEachEntry(() => f.do(i32.store(get(counter), i32.add(i32.load(get(counter)), i32.const(entryBytes)))));
  f.set(place, get(to));
  f.set(counter, i32.const(0));
  f.loop((again) => {
    f.set(held, i32.load(get(counter)));
    f.do(i32.store(get(counter), get(place)));
    f.set(place, i32.add(get(place), get(held)));
    f.set(counter, plus(counter, 4));
    f.branchIf(again, i32.lessU(get(counter), i32.const(DIGITS * 4)));
  });
  forEachEntry(() => {
    f.set(place, i32.load(get(counter)));
    f.do((kind === "word" ? i32 : i64).store(get(place), get(key)));
    if (kind === "counted") f.do(i64.store(get(place), i64.load(get(at), 8), 8));
    f.do(i32.store(get(counter), plus(place, entryBytes)));
  });
  return f;
}

/** Distinct neighbours of from[..end) to `to`, and one past the last place of each to `ends`; returns their number. */
function joinBody(kind: "word" | "pair"): FunctionBody {
  const own = kind === "word" ? i32 : i64;
  const entryBytes = ENTRY_BYTES[kind];
  const f = new FunctionBody([I32, I32, I32, I32], I32);
  const [at, to, end, ends] = [f.param(0), f.param(1), f.param(2), f.param(3)];
  const first = f.local(I32);
  const isNew = f.local(I32);
  const place = f.local(I32);
  const previous = f.local(kind === "word" ? I32 : I64);
  const key = f.local(kind === "word" ? I32 : I64);
  f.set(first, get(ends));
  f.set(previous, own.load(get(at)));
  f.loop((again) => {
    f.set(key, own.load(get(at)));
    f.set(isNew, own.ne(get(key), get(previous)));
    f.set(to, i32.add(get(to), i32.mul(get(isNew), i32.const(entryBytes))));
    f.set(ends, i32.add(get(ends), i32.mul(get(isNew), i32.const(4))));
    f.set(place, plus(place, 1));
    f.do(own.store(get(to), get(key)));
    f.do(i32.store(get(ends), get(place)));
    f.set(previous, get(key));
    f.set(at, plus(at, entryBytes));
    f.branchIf(again, i32.lessU(get(at), get(end)));
  });
  f.return(i32.shiftRight(i32.sub(plus(ends, 4), get(first)), i32.const(2)));
  return f;
}
