import { FunctionBody, get, i32, I32, i64, I64, moduleBytes, type Code, type Local } from "./wasm-module.ts";

/**
 * Sorting of 64-bit keys, with or without a count each, by WebAssembly: least significant digits first, as `sortWords`, but a
 * key moves as one. Entries are [low word, high word] or [low word, high word, count as a double].
 */
export interface SortKernel {
  /** [size x 2 or 4] entries as 32-bit words, to be filled in before and read after `sort`, which may give another part of memory. */
  readonly entries: Int32Array;
  /** The same entries as doubles: with counts, number 2 i + 1 is the count of entry i. */
  readonly doubles: Float64Array;
  /** Sort by the lowest `bits` bits. Time O(size x bits / 11). */
  sort(bits: number): Pick<SortKernel, "entries" | "doubles">;
}

const DIGIT_BITS = 11;
const DIGITS = 1 << DIGIT_BITS;
const PAGE = 65_536;
/** Two halves of at most a gigabyte, so that addresses stay far below 2^32. */
const MOST_BYTES = 2 ** 30;

let compiled: WebAssembly.Module | null | undefined;

/** Undefined where there is no WebAssembly, or no memory for so many entries. */
export function sortKernel(size: number, counted: boolean): SortKernel | undefined {
  const entryBytes = counted ? 16 : 8;
  const bytes = size * entryBytes;
  if (bytes > MOST_BYTES || typeof WebAssembly === "undefined") return undefined;
  try {
    compiled ??= new WebAssembly.Module(sortModule());
    const memory = new WebAssembly.Memory({ initial: 1 + Math.ceil((bytes * 2) / PAGE) });
    const { exports } = new WebAssembly.Instance(compiled, { memory: { memory } });
    const pass = exports[counted ? "passCounted" : "pass"] as (from: number, to: number, end: number, shift: number) => void;
    const counts = new Uint32Array(memory.buffer, 0, DIGITS);
    const viewAt = (at: number): Pick<SortKernel, "entries" | "doubles"> => ({
      entries: new Int32Array(memory.buffer, at, bytes / 4),
      doubles: new Float64Array(memory.buffer, at, bytes / 8),
    });
    return {
      ...viewAt(PAGE),
      sort(bits) {
        let from = PAGE;
        let to = PAGE + bytes;
        for (let shift = 0; shift < bits && size > 0; shift += DIGIT_BITS) {
          counts.fill(0);
          pass(from, to, from + bytes, shift);
          [from, to] = [to, from];
        }
        return viewAt(from);
      },
    };
  } catch {
    return undefined;
  }
}

function sortModule(): Uint8Array<ArrayBuffer> {
  return moduleBytes([{ name: "pass", body: passBody(false) }, { name: "passCounted", body: passBody(true) }]);
}

/** One pass: from[..end) to `to`, ordered by the digit that begins at bit `shift`. The counters at 0 must be zero. */
function passBody(counted: boolean): FunctionBody {
  const entryBytes = counted ? 16 : 8;
  const f = new FunctionBody([I32, I32, I32, I32]);
  const [from, to, end, shift] = [f.param(0), f.param(1), f.param(2), f.param(3)];
  const at = f.local(I32);
  const counter = f.local(I32);
  const place = f.local(I32);
  const held = f.local(I32);
  const key = f.local(I64);
  const longShift = f.local(I64);
  const plus = (local: Local, amount: number): Code => i32.add(get(local), i32.const(amount));
  const counterOf = i32.shiftLeft(i32.and(i32.ofI64(i64.shiftRight(get(key), get(longShift))), i32.const(DIGITS - 1)), i32.const(2));
  const forEachEntry = (body: () => void): void => {
    f.set(at, get(from));
    f.loop((again) => {
      f.set(key, i64.load(get(at)));
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
    f.do(i64.store(get(place), get(key)));
    if (counted) f.do(i64.store(get(place), i64.load(get(at), 8), 8));
    f.do(i32.store(get(counter), plus(place, entryBytes)));
  });
  return f;
}
