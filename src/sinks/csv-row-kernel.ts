import {
  f64, F64, FunctionBody, get, i32, I32, isLittleEndian, moduleBytes, plus, select, v128,
  type Code, type Local,
} from "../kernels/wasm-module.ts";

/** A column of prepared texts, delimiter or line end included, or one of numbers. */
export type CsvKernelColumn =
  | {
      readonly kind: "codes";
      /** Text of null, then of each code, one after another as `starts` (in words) and `lengths` (in bytes) say. */
      readonly words: Int32Array;
      readonly starts: Int32Array;
      readonly lengths: Int32Array;
    }
  /** @param end byte that follows a number */
  | { readonly kind: "numbers"; readonly end: number };

/** Renders records in runs, as CsvRenderer does, in WebAssembly and with sixteen bytes at a time. */
export interface CsvRowKernel {
  /** [KERNEL_RECORDS + 1] first record of each run, and the number of records. */
  readonly starts: Uint32Array;
  /** [columns][KERNEL_RECORDS] codes of runs, or numbers of records. */
  readonly columns: readonly (Int32Array | Float64Array)[];
  readonly out: Uint8Array;
  /**
   * Render rows from `row`, which lies in `run`, to the beginning of `out`, until all are done, a row begins beyond `limit`, or
   * a number is out of the ordinary.
   * @returns bytes rendered; `state` tells how far it came
   */
  render(row: number, records: number, run: number, limit: number): number;
  /** Next row and its run. */
  readonly state: Uint32Array;
}

/** Records of one call: their codes and numbers stay in the second-level cache. */
export const KERNEL_RECORDS = 1 << 14;
/** Bytes of rows rendered by one call, so that they are still in the cache when they are copied. */
const OUT_BYTES = 1 << 18;
const MOST_TEXT_BYTES = 1 << 25;
const MOST_COLUMNS = 64;
const PAGE = 65_536;
const MINUS = 45;
const POINT = 46;
const ZERO = 48;

// Fixed places, in bytes.
const STATE = 0;
/** Four digits of each number below 10,000. */
const DIGITS = 64;
const FREE = DIGITS + 10_000 * 4;

interface Places {
  readonly starts: number;
  /** [columns] codes or numbers */
  readonly columns: readonly number[];
  /** [columns] pairs of address and length of each text; 0 for numbers */
  readonly texts: readonly number[];
  readonly out: number;
}

/** Undefined where there is no WebAssembly with vectors, or the texts are too many for it. */
export function csvRowKernel(columns: readonly CsvKernelColumn[], maxRowBytes: number): CsvRowKernel | undefined {
  const textBytes = columns.reduce((sum, column) => sum + (column.kind === "codes" ? column.words.byteLength + column.starts.length * 8 : 0), 0);
  const isSmall = columns.length <= MOST_COLUMNS && textBytes <= MOST_TEXT_BYTES && maxRowBytes * 2 < OUT_BYTES;
  if (!isSmall || typeof WebAssembly === "undefined" || !isLittleEndian()) return undefined;
  try {
    let end = FREE;
    const place = (bytes: number): number => {
      const at = Math.ceil(end / 64) * 64;
      end = at + bytes;
      return at;
    };
    const starts = place((KERNEL_RECORDS + 1) * 4);
    const columnPlaces = columns.map(({ kind }) => place(KERNEL_RECORDS * (kind === "codes" ? 4 : 8)));
    const bytesAt = columns.map((column) => place(column.kind === "codes" ? column.words.byteLength + 16 : 0));
    const texts = columns.map((column) => (column.kind === "codes" ? place(column.starts.length * 8) : 0));
    const out = place(OUT_BYTES + 64);
    const memory = new WebAssembly.Memory({ initial: Math.ceil(end / PAGE) });
    const buffer = memory.buffer as ArrayBuffer;
    columns.forEach((column, c) => {
      if (column.kind === "numbers") return;
      new Int32Array(buffer, bytesAt[c]!, column.words.length).set(column.words);
      const table = new Int32Array(buffer, texts[c]!, column.starts.length * 2);
      for (let value = 0; value < column.starts.length; value++) {
        table[value * 2] = bytesAt[c]! + column.starts[value]! * 4;
        table[value * 2 + 1] = column.lengths[value]!;
      }
    });
    fillDigits(new Uint8Array(buffer, DIGITS, 40_000));
    const module = new WebAssembly.Module(moduleBytes([{ name: "render", body: renderBody(columns, { starts, columns: columnPlaces, texts, out }) }]));
    const { exports } = new WebAssembly.Instance(module, { memory: { memory } });
    return {
      starts: new Uint32Array(buffer, starts, KERNEL_RECORDS + 1),
      columns: columns.map(({ kind }, c) =>
        kind === "codes" ? new Int32Array(buffer, columnPlaces[c]!, KERNEL_RECORDS) : new Float64Array(buffer, columnPlaces[c]!, KERNEL_RECORDS),
      ),
      out: new Uint8Array(buffer, out, OUT_BYTES),
      render: exports["render"] as CsvRowKernel["render"],
      state: new Uint32Array(buffer, STATE, 2),
    };
  } catch {
    return undefined; // refused by the host, or no memory for it: the plain loop serves
  }
}

function fillDigits(digits: Uint8Array): void {
  for (let number = 0, at = 0; number < 10_000; number++) {
    for (let power = 1000; power >= 1; power /= 10) digits[at++] = ZERO + (Math.floor(number / power) % 10);
  }
}

/** Address of an entry of 2^`log` bytes. */
const entry = (base: number, index: Code, log: number): Code => i32.add(i32.const(base), i32.shiftLeft(index, i32.const(log)));

function renderBody(columns: readonly CsvKernelColumn[], places: Places): FunctionBody {
  const f = new FunctionBody([I32, I32, I32, I32], I32);
  const [row, records, run, limit] = [f.param(0), f.param(1), f.param(2), f.param(3)];
  const at = f.local(I32);
  const start = f.local(I32);
  const before = f.local(I32);
  const runEnd = f.local(I32);
  const same = f.local(I32);
  const bytes = f.local(I32);
  const differs = f.local(I32);
  const copy = { from: f.local(I32), bytes: f.local(I32), done: f.local(I32) };
  const number: NumberLocals = {
    value: f.local(F64), size: f.local(F64), scaled: f.local(F64), whole: f.local(I32), high: f.local(I32), hundredths: f.local(I32), digits: f.local(I32),
  };
  // Leading fields that a row shares with the one before are copied from there at one go.
  const leading = columns.findIndex(({ kind }) => kind === "numbers");
  const shared = leading < 0 ? columns.length : leading;
  const ends = Array.from({ length: shared }, () => f.local(I32)); // bytes of a row up to the end of the field
  const endOf = (fields: number): Code => (fields === 0 ? i32.const(0) : get(ends[fields - 1]!));

  const copyBytes = (from: Code, length: Code): void => {
    f.set(copy.from, from);
    f.set(copy.bytes, length);
    f.set(copy.done, i32.const(0));
    f.loop((again) => {
      f.do(v128.store(i32.add(get(at), get(copy.done)), v128.load(i32.add(get(copy.from), get(copy.done)))));
      f.set(copy.done, plus(copy.done, 16));
      f.branchIf(again, i32.lessU(get(copy.done), get(copy.bytes)));
    });
    f.set(at, i32.add(get(at), get(copy.bytes)));
  };
  const text = (c: number): void => {
    const pair = copy.done;
    f.set(pair, entry(places.texts[c]! + 8, codeOf(c), 3));
    copyBytes(i32.load(get(pair)), i32.load(get(pair), 4));
  };
  const codeOf = (c: number): Code => i32.load(entry(places.columns[c]!, get(run), 2));

  f.set(at, i32.const(places.out));
  f.set(limit, plus(limit, places.out));
  f.block((leave) => {
    f.loop((nextRun) => {
      f.branchIf(leave, i32.isZero(i32.lessU(get(row), get(records))));
      f.branchIf(leave, i32.moreU(get(at), get(limit)));
      f.set(runEnd, i32.load(entry(places.starts, get(run), 2), 4));
      f.set(same, i32.const(0));
      f.set(bytes, i32.const(0));
      f.if(get(before), () => {
        f.set(same, i32.const(shared));
        f.set(bytes, endOf(shared));
        for (let c = shared - 1; c >= 0; c--) {
          const here = entry(places.columns[c]!, get(run), 2);
          f.set(differs, i32.ne(i32.load(here), i32.load(i32.sub(here, i32.const(4)))));
          f.set(same, select(i32.const(c), get(same), get(differs)));
          f.set(bytes, select(endOf(c), get(bytes), get(differs)));
        }
      });
      f.loop((nextRow) => {
        f.set(start, get(at));
        f.if(get(bytes), () => copyBytes(get(before), get(bytes)));
        columns.forEach((column, c) => {
          if (column.kind === "numbers") emitNumber(f, places.columns[c]!, column.end, row, at, number, () => {
            f.set(at, get(start));
            f.branch(leave);
          });
          else if (c >= shared) text(c);
          else {
            f.if(i32.isZero(i32.moreU(get(same), i32.const(c))), () => {
              text(c);
              f.set(ends[c]!, i32.sub(get(at), get(start)));
            });
          }
        });
        f.set(before, get(start));
        f.set(same, i32.const(shared));
        f.set(bytes, endOf(shared));
        f.set(row, plus(row, 1));
        f.branchIf(nextRow, i32.and(i32.lessU(get(row), get(runEnd)), i32.isZero(i32.moreU(get(at), get(limit)))));
      });
      f.set(run, i32.add(get(run), i32.eq(get(row), get(runEnd))));
      f.branch(nextRun);
    });
  });
  f.do(i32.store(i32.const(STATE), get(row)));
  f.do(i32.store(i32.const(STATE), get(run), 4));
  f.return(i32.sub(get(at), i32.const(places.out)));
  return f;
}

interface NumberLocals {
  readonly value: Local;
  readonly size: Local;
  readonly scaled: Local;
  readonly whole: Local;
  readonly high: Local;
  readonly hundredths: Local;
  readonly digits: Local;
}

/**
 * Numbers below 10^8 with at most two decimals, as NumberRenderer writes them, and null as nothing.
 * @param other what to do with the rest; must leave
 */
function emitNumber(f: FunctionBody, values: number, end: number, row: Local, at: Local, local: NumberLocals, other: () => void): void {
  const { value, size, scaled, whole, high, hundredths, digits } = local;
  const fourDigits = (of: Local): Code => i32.load(entry(DIGITS, get(of), 2));
  const atLeast = (of: Local, least: number): Code => i32.isZero(i32.lessU(get(of), i32.const(least)));
  const withoutLeadingZeros = (of: Local): void => {
    f.set(digits, i32.add(i32.add(atLeast(of, 10), atLeast(of, 100)), i32.add(atLeast(of, 1000), i32.const(1))));
    f.do(i32.store(get(at), i32.shiftRight(fourDigits(of), i32.shiftLeft(i32.sub(i32.const(4), get(digits)), i32.const(3)))));
    f.set(at, i32.add(get(at), get(digits)));
  };
  f.set(value, f64.load(entry(values, get(row), 3)));
  f.if(f64.eq(get(value), get(value)), () => {
    f.set(size, f64.abs(get(value)));
    f.if(i32.isZero(f64.less(get(size), f64.const(1e8))), other);
    f.set(scaled, f64.nearest(f64.mul(get(size), f64.const(100))));
    f.if(f64.ne(f64.div(get(scaled), f64.const(100)), get(size)), other);
    f.if(f64.less(get(value), f64.const(0)), () => {
      f.do(i32.store8(get(at), i32.const(MINUS)));
      f.set(at, plus(at, 1));
    });
    f.set(whole, i32.ofF64(get(size)));
    f.set(hundredths, i32.ofF64(f64.sub(get(scaled), f64.mul(f64.ofI32(get(whole)), f64.const(100)))));
    f.if(
      i32.lessU(get(whole), i32.const(10_000)),
      () => withoutLeadingZeros(whole),
      () => {
        f.set(high, i32.divideU(get(whole), i32.const(10_000)));
        f.set(whole, i32.sub(get(whole), i32.mul(get(high), i32.const(10_000))));
        withoutLeadingZeros(high);
        f.do(i32.store(get(at), fourDigits(whole)));
        f.set(at, plus(at, 4));
      },
    );
    f.if(get(hundredths), () => {
      // A point and two digits; a 0 at the end is left out.
      f.set(digits, i32.shiftRight(fourDigits(hundredths), i32.const(16)));
      f.do(i32.store(get(at), i32.or(i32.const(POINT), i32.shiftLeft(get(digits), i32.const(8)))));
      f.set(at, i32.sub(plus(at, 3), i32.eq(i32.shiftRight(get(digits), i32.const(8)), i32.const(ZERO))));
    });
  });
  f.do(i32.store8(get(at), i32.const(end)));
  f.set(at, plus(at, 1));
}
