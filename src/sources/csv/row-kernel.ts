import {
  call, f64, F64, FunctionBody, get, i32, I32, i64, I64, isLittleEndian, moduleBytes, plus, select, v128, V128,
  type Code, type Label, type Local,
} from "../../kernels/wasm-module.ts";

/** What is done with one field of a row. */
export type RowKernelField =
  | { readonly use: "skip" }
  /** Column of codes, by its place among them. */
  | { readonly use: "codes"; readonly column: number }
  | { readonly use: "numbers"; readonly column: number }
  /** Anything rarer: always left to the caller. */
  | { readonly use: "deferred" };

export interface RowKernelPlan {
  /** In the order of the row. */
  readonly fields: readonly RowKernelField[];
  readonly delimiter: number;
  readonly batchRecords: number;
  readonly codeColumns: number;
  readonly numberColumns: number;
  /** Base-2 logarithms of the slots of a column in the two caches. */
  readonly slotBits: number;
  readonly longBits: number;
  /** Room for bytes of the file, and for words that reach beyond them. */
  readonly byteRoom: number;
}

/**
 * Codes plain rows sixteen bytes at a time in WebAssembly: rows without quotes, every value but the rare one in a cache. The
 * caches, the codes and the bytes are the caller's, who works on the same memory where this one stops.
 */
export interface RowKernel {
  /** [byteRoom] */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** [codeColumns << slotBits] slots of [first word, second word, code, unused]; see CsvCoder. */
  readonly cache: Int32Array<ArrayBuffer>;
  /** [codeColumns << longBits] slots of [length, code, 14 words of text, the last one padded with zeros]. */
  readonly longCache: Int32Array<ArrayBuffer>;
  /** [codeColumns x batchRecords] and [numberColumns x batchRecords] */
  readonly codes: Int32Array<ArrayBuffer>;
  readonly numbers: Float64Array<ArrayBuffer>;
  /**
   * Code rows from `at` until the batch is full, `stopAt` is reached, a row is not plain, or the list of deferred fields is full.
   * @param stopAt no row begins from here on; a line feed ends the bytes before
   * @param addedLineFeed position of a line feed that may not follow a carriage return
   * @returns where the next row begins; `records` and `deferredFields` are set
   */
  code(at: number, record: number, stopAt: number, addedLineFeed: number): number;
  readonly state: Int32Array<ArrayBuffer>;
  /** Five words a field whose value the caller must look up: record, field, start, end, start of the row. */
  readonly deferred: Int32Array<ArrayBuffer>;
  /** Offset of the first 64 bytes of bytes[start..end) that are not all ASCII, or of what is left beyond whole 64 bytes. */
  asciiEnd(start: number, end: number): number;
}

/** Entries of `state` after `code`. */
export const RECORDS = 0;
export const DEFERRED_FIELDS = 1;

const LF = 10;
const CR = 13;
const QUOTE = 34;
const MINUS = 45;
const POINT = 46;
const ZERO = 48;

const DEFERRED_WORDS = 5;
const DEFERRED_ROOM = 1024;
/** Longer values are left to the caller, who knows how long a value may be. */
const LONGEST = 4096;
/** Code grows with the fields that are asked for. */
const MOST_BLOCKS = 96;
const LONG_SLOT_BYTES = 64;
const LONG_VALUE_BYTES = 56;
const PAGE = 65_536;

// Fixed places, in bytes.
const STATE = 0;
const MASKS = 64;
const POWERS = MASKS + 16 * 8;
const SHUFFLES = 512;
const DEFERRED = SHUFFLES + 16 * 16 * 16;
const FREE = DEFERRED + DEFERRED_ROOM * DEFERRED_WORDS * 4;

interface Places {
  readonly bytes: number;
  readonly cache: number;
  readonly longCache: number;
  readonly codes: number;
  readonly numbers: number;
  readonly end: number;
}

function placesOf(plan: RowKernelPlan): Places {
  const aligned = (at: number): number => Math.ceil(at / 64) * 64;
  const bytes = aligned(FREE);
  const cache = aligned(bytes + plan.byteRoom);
  const longCache = aligned(cache + (plan.codeColumns << plan.slotBits) * 16);
  const codes = aligned(longCache + (plan.codeColumns << plan.longBits) * LONG_SLOT_BYTES);
  const numbers = aligned(codes + plan.codeColumns * plan.batchRecords * 4);
  return { bytes, cache, longCache, codes, numbers, end: numbers + plan.numberColumns * plan.batchRecords * 8 };
}

/** Undefined where there is no WebAssembly with vectors, or the request is too wide for it. */
export function rowKernel(plan: RowKernelPlan): RowKernel | undefined {
  if (blocksOf(plan.fields).length > MOST_BLOCKS || typeof WebAssembly === "undefined" || !isLittleEndian()) return undefined;
  try {
    const places = placesOf(plan);
    const memory = new WebAssembly.Memory({ initial: Math.ceil(places.end / PAGE) });
    const module = new WebAssembly.Module(rowModule(plan, places));
    const { exports } = new WebAssembly.Instance(module, { memory: { memory } });
    const { code, asciiEnd } = exports as unknown as Pick<RowKernel, "code" | "asciiEnd">;
    const buffer = memory.buffer as ArrayBuffer;
    fillTables(buffer);
    return {
      bytes: new Uint8Array(buffer, places.bytes, plan.byteRoom),
      cache: new Int32Array(buffer, places.cache, (plan.codeColumns << plan.slotBits) * 4),
      longCache: new Int32Array(buffer, places.longCache, (plan.codeColumns << plan.longBits) * (LONG_SLOT_BYTES / 4)),
      codes: new Int32Array(buffer, places.codes, plan.codeColumns * plan.batchRecords),
      numbers: new Float64Array(buffer, places.numbers, plan.numberColumns * plan.batchRecords),
      state: new Int32Array(buffer, STATE, 2),
      deferred: new Int32Array(buffer, DEFERRED, DEFERRED_ROOM * DEFERRED_WORDS),
      code,
      asciiEnd,
    };
  } catch {
    return undefined; // refused by the host, or no memory for it: the plain loop serves
  }
}

function fillTables(buffer: ArrayBuffer): void {
  const masks = new BigUint64Array(buffer, MASKS, 9);
  for (let length = 0; length <= 8; length++) masks[length] = (1n << BigInt(length * 8)) - 1n;
  const powers = new Float64Array(buffer, POWERS, 16);
  for (let k = 0; k < 16; k++) powers[k] = Number(`1e${k}`);
  // Digits of a number of n bytes, whose point is at byte `point` (n for none), moved to the right end of a vector.
  const shuffles = new Uint8Array(buffer, SHUFFLES, 16 * 16 * 16).fill(0xff);
  for (let n = 1; n < 16; n++) {
    for (let point = 0; point <= n && point < 16; point++) {
      const digits = point < n ? n - 1 : n;
      for (let k = 0; k < digits; k++) shuffles[(n * 16 + point) * 16 + 16 - digits + k] = k < point ? k : k + 1;
    }
  }
}

type Block = { readonly first: number; readonly count: number; readonly field: RowKernelField };

/** Neighbouring fields that are skipped become one block, but for the last field of the row. */
function blocksOf(fields: readonly RowKernelField[]): Block[] {
  const blocks: Block[] = [];
  fields.forEach((field, first) => {
    const before = blocks.at(-1);
    const joins = field.use === "skip" && before?.field.use === "skip" && first < fields.length - 1;
    if (joins) blocks[blocks.length - 1] = { ...before, count: before.count + 1 };
    else blocks.push({ first, count: 1, field });
  });
  return blocks;
}

// Places of the functions in the module.
const FIND_END = 1;
const CACHED = 2;
const LONG_CACHED = 3;
const DEFER = 4;

function rowModule(plan: RowKernelPlan, places: Places): Uint8Array<ArrayBuffer> {
  // In the order of the places above.
  return moduleBytes([
    { name: "asciiEnd", body: asciiEndBody(places) },
    { body: findEndBody(plan.delimiter) },
    { body: cachedBody() },
    { body: longCachedBody(plan) },
    { body: deferBody(places) },
    { name: "code", body: codeBody(plan, places) },
  ]);
}

function asciiEndBody(places: Places): FunctionBody {
  const f = new FunctionBody([I32, I32], I32);
  const [at, end] = [f.param(0), f.param(1)];
  f.block((exit) => {
    f.loop((again) => {
      f.branchIf(exit, i32.moreU(plus(at, 64), get(end)));
      const piece = (k: number): Code => v128.load(get(at), places.bytes + k * 16);
      f.branchIf(exit, v128.bitmask8(v128.or(v128.or(piece(0), piece(1)), v128.or(piece(2), piece(3)))));
      f.set(at, plus(at, 64));
      f.branch(again);
    });
  });
  f.return(get(at));
  return f;
}

/** A bit for each byte at which an unquoted value may end. */
function endsOf(vector: Local, delimiter: number): Code {
  return v128.bitmask8(v128.or(v128.eq8(get(vector), v128.splat8(delimiter)), v128.lessU8(get(vector), v128.splat8(CR + 1))));
}

/** Length of a value of sixteen bytes or more; -1 when it is longer than LONGEST. */
function findEndBody(delimiter: number): FunctionBody {
  const f = new FunctionBody([I32], I32);
  const start = f.param(0);
  const length = f.local(I32);
  const ends = f.local(I32);
  const vector = f.local(V128);
  f.set(length, i32.const(16));
  f.loop((again) => {
    f.set(vector, v128.load(i32.add(get(start), get(length))));
    f.set(ends, endsOf(vector, delimiter));
    f.if(get(ends), () => f.return(i32.add(get(length), i32.trailingZeros(get(ends)))));
    f.set(length, plus(length, 16));
    f.branchIf(again, i32.lessU(get(length), i32.const(LONGEST)));
  });
  f.return(i32.const(-1));
  return f;
}

/** Code of a value of up to eight bytes whose first slot holds another: from the neighbouring slot, or -1. */
function cachedBody(): FunctionBody {
  const f = new FunctionBody([I32, I64], I32);
  const [slot, value] = [f.param(0), f.param(1)];
  f.set(slot, i32.xor(get(slot), i32.const(16)));
  f.if(i64.eq(i64.load(get(slot)), get(value)), () => f.return(i32.load(get(slot), 8)));
  f.return(i32.const(-1));
  return f;
}

/** Code of a value of more than eight bytes, or -1; the hash is the one of CsvCoder. */
function longCachedBody(plan: RowKernelPlan): FunctionBody {
  const f = new FunctionBody([I32, I32, I32], I32);
  const [cache, start, length] = [f.param(0), f.param(1), f.param(2)];
  const hash = f.local(I32);
  const last = f.local(I32);
  const at = f.local(I32);
  const different = f.local(V128);
  f.if(i32.moreU(get(length), i32.const(LONG_VALUE_BYTES)), () => f.return(i32.const(-1)));
  f.set(last, i32.sub(i32.add(get(start), get(length)), i32.const(4)));
  f.set(hash, i32.xor(i32.xor(i32.mul(i32.load(get(start)), i32.const(0x9e3779b1)), i32.load(get(last))), get(length)));
  const half = i32.add(get(start), i32.shiftRight(get(length), i32.const(1)));
  const middle = i32.xor(i32.mul(i32.load(get(start), 4), i32.const(0x85ebca6b)), i32.load(half));
  const ends = i32.xor(get(hash), i32.shiftRight(get(hash), i32.const(15)));
  f.set(hash, i32.mul(i32.xor(ends, i32.mul(middle, i32.const(0x2c1b3c6d))), i32.const(0x297a2d39)));
  const slot = cache;
  f.set(slot, i32.add(get(cache), i32.mul(i32.shiftRight(get(hash), i32.const(32 - plan.longBits)), i32.const(LONG_SLOT_BYTES))));
  f.if(i32.ne(i32.load(get(slot)), get(length)), () => f.return(i32.const(-1)));

  // Words overlap at the end instead of being masked.
  const atOf = (base: Local, offset: Code): Code => i32.add(get(base), offset);
  f.if(
    i32.lessU(get(length), i32.const(17)),
    () => {
      const tail = i32.sub(get(length), i32.const(8));
      const same = i32.and(
        i64.eq(i64.load(get(start)), i64.load(get(slot), 8)),
        i64.eq(i64.load(atOf(start, tail)), i64.load(atOf(slot, tail), 8)),
      );
      f.return(select(i32.load(get(slot), 4), i32.const(-1), same));
    },
    () => {
      const tail = i32.sub(get(length), i32.const(16));
      f.set(different, v128.xor(v128.load(atOf(start, tail)), v128.load(atOf(slot, tail), 8)));
      f.loop((again) => {
        const here = v128.xor(v128.load(atOf(start, get(at))), v128.load(atOf(slot, get(at)), 8));
        f.set(different, v128.or(get(different), here));
        f.set(at, plus(at, 16));
        f.branchIf(again, i32.lessU(plus(at, 16), get(length)));
      });
      f.return(select(i32.const(-1), i32.load(get(slot), 4), v128.anyTrue(get(different))));
    },
  );
  f.return(i32.const(-1));
  return f;
}

/** Enter a field into the list of deferred ones; positions relative to the bytes. */
function deferBody(places: Places): FunctionBody {
  const f = new FunctionBody([I32, I32, I32, I32, I32, I32]);
  const [count, record, field, start, end, row] = [0, 1, 2, 3, 4, 5].map((place) => f.param(place)) as [Local, Local, Local, Local, Local, Local];
  f.set(count, i32.mul(get(count), i32.const(DEFERRED_WORDS * 4)));
  const entry = (word: number, value: Code): void => f.do(i32.store(get(count), value, DEFERRED + word * 4));
  entry(0, get(record));
  entry(1, get(field));
  entry(2, i32.sub(get(start), i32.const(places.bytes)));
  entry(3, i32.sub(get(end), i32.const(places.bytes)));
  entry(4, i32.sub(get(row), i32.const(places.bytes)));
  return f;
}

/** Locals that the fields of a row share. */
interface RowLocals {
  readonly at: Local;
  readonly record: Local;
  readonly row: Local;
  readonly deferred: Local;
  readonly vector: Local;
  readonly ends: Local;
  readonly length: Local;
  readonly value: Local;
  readonly hash: Local;
  readonly code: Local;
  readonly byte: Local;
  readonly number: Local;
  readonly bytes: Local;
  readonly points: Local;
  readonly sign: Local;
}

function codeBody(plan: RowKernelPlan, places: Places): FunctionBody {
  const f = new FunctionBody([I32, I32, I32, I32], I32);
  const [at, record, stopAt, addedLineFeed] = [f.param(0), f.param(1), f.param(2), f.param(3)];
  const local = {
    at, record, row: f.local(I32), deferred: f.local(I32), vector: f.local(V128), ends: f.local(I32), length: f.local(I32),
    value: f.local(I64), hash: f.local(I32), code: f.local(I32), byte: f.local(I32), number: f.local(F64), bytes: f.local(I32),
    points: f.local(I32), sign: f.local(I32),
  };
  const kept = f.local(I32);
  const { row, deferred, byte } = local;
  const blocks = blocksOf(plan.fields);
  const canDefer = blocks.filter(({ field }) => field.use !== "skip").length;
  f.set(at, plus(at, places.bytes));
  f.set(stopAt, plus(stopAt, places.bytes));
  f.set(addedLineFeed, plus(addedLineFeed, places.bytes));
  f.set(row, get(at));
  f.block((leave) => {
    f.loop((nextRow) => {
      f.set(row, get(at));
      f.set(kept, get(deferred));
      f.branchIf(leave, i32.isZero(i32.lessU(get(at), get(stopAt))));
      f.branchIf(leave, i32.isZero(i32.lessU(get(record), i32.const(plan.batchRecords))));
      f.branchIf(leave, i32.moreU(get(deferred), i32.const(DEFERRED_ROOM - canDefer)));
      blocks.forEach((block, b) => {
        const isLast = b === blocks.length - 1;
        if (block.count === 1) emitField(f, plan, places, block, local, leave, isLast);
        else emitSkipped(f, plan, block.count, local, leave);
      });
      f.set(byte, i32.load8(get(at)));
      f.if(
        i32.eq(get(byte), i32.const(LF)),
        () => f.set(at, plus(at, 1)),
        () => {
          f.branchIf(leave, i32.ne(get(byte), i32.const(CR)));
          f.branchIf(leave, i32.ne(i32.load8(get(at), 1), i32.const(LF)));
          f.branchIf(leave, i32.eq(plus(at, 1), get(addedLineFeed)));
          f.set(at, plus(at, 2));
        },
      );
      f.set(record, plus(record, 1));
      f.branch(nextRow);
    });
  });
  // What a row that was not finished has deferred is forgotten.
  f.do(i32.store(i32.const(STATE), get(record), RECORDS * 4));
  f.do(i32.store(i32.const(STATE), get(kept), DEFERRED_FIELDS * 4));
  f.return(i32.sub(get(row), i32.const(places.bytes)));
  return f;
}

/** Length of the value at `at`, which is no quoted one. */
function emitLength(f: FunctionBody, plan: RowKernelPlan, local: RowLocals, leave: Label): void {
  const { at, vector, ends, length } = local;
  f.branchIf(leave, i32.eq(i32.load8(get(at)), i32.const(QUOTE)));
  f.set(vector, v128.load(get(at)));
  f.set(ends, endsOf(vector, plan.delimiter));
  f.set(length, i32.trailingZeros(get(ends)));
}

function emitLongLength(f: FunctionBody, local: RowLocals, leave: Label): void {
  const { at, ends, length } = local;
  f.if(i32.isZero(get(ends)), () => f.set(length, call(FIND_END, get(at))));
  f.branchIf(leave, i32.lessS(get(length), i32.const(0)));
}

function emitDelimiter(f: FunctionBody, plan: RowKernelPlan, local: RowLocals, leave: Label): void {
  f.branchIf(leave, i32.ne(i32.load8(get(local.at)), i32.const(plan.delimiter)));
  f.set(local.at, plus(local.at, 1));
}

function emitSkipped(f: FunctionBody, plan: RowKernelPlan, fields: number, local: RowLocals, leave: Label): void {
  const left = local.hash;
  f.set(left, i32.const(fields));
  f.loop((again) => {
    emitLength(f, plan, local, leave);
    emitLongLength(f, local, leave);
    f.set(local.at, i32.add(get(local.at), get(local.length)));
    emitDelimiter(f, plan, local, leave);
    f.set(left, plus(left, -1));
    f.branchIf(again, get(left));
  });
}

function emitField(
  f: FunctionBody, plan: RowKernelPlan, places: Places, { first, field }: Block, local: RowLocals, leave: Label, isLast: boolean,
): void {
  emitLength(f, plan, local, leave);
  if (field.use === "codes") emitCode(f, plan, places, first, field.column, local, leave);
  else {
    emitLongLength(f, local, leave);
    if (field.use === "numbers") emitNumber(f, plan, places, first, field.column, local);
    else if (field.use === "deferred") emitDeferred(f, first, local);
  }
  f.set(local.at, i32.add(get(local.at), get(local.length)));
  if (!isLast) emitDelimiter(f, plan, local, leave);
}

function emitDeferred(f: FunctionBody, field: number, { deferred, record, at, length, row }: RowLocals): void {
  f.do(call(DEFER, get(deferred), get(record), i32.const(field), get(at), i32.add(get(at), get(length)), get(row)));
  f.set(deferred, plus(deferred, 1));
}

function emitCode(
  f: FunctionBody, plan: RowKernelPlan, places: Places, field: number, column: number, local: RowLocals, leave: Label,
): void {
  const { at, record, length, value, hash, code } = local;
  f.if(
    i32.lessU(get(length), i32.const(9)),
    () => {
      f.set(value, i64.and(i64.load(get(at)), i64.load(i32.shiftLeft(get(length), i32.const(3)), MASKS)));
      const high = i32.ofI64(i64.shiftRight(get(value), i64.const(32n)));
      const mixed = i32.mul(i32.xor(i32.ofI64(get(value)), i32.mul(high, i32.const(0x9e3779b1))), i32.const(0x85ebca6b));
      const slot = i32.shiftLeft(i32.shiftRight(mixed, i32.const(32 - plan.slotBits)), i32.const(4));
      f.set(hash, i32.add(slot, i32.const(places.cache + (column << plan.slotBits) * 16)));
      f.if(
        i64.eq(i64.load(get(hash)), get(value)),
        () => f.set(code, i32.load(get(hash), 8)),
        () => f.set(code, call(CACHED, get(hash), get(value))),
      );
    },
    () => {
      emitLongLength(f, local, leave);
      f.set(code, call(LONG_CACHED, i32.const(places.longCache + (column << plan.longBits) * LONG_SLOT_BYTES), get(at), get(length)));
    },
  );
  f.if(i32.lessS(get(code), i32.const(0)), () => emitDeferred(f, field, local));
  f.do(i32.store(i32.shiftLeft(get(record), i32.const(2)), get(code), places.codes + column * plan.batchRecords * 4));
}

/** Up to fifteen digits with a point anywhere and a minus sign; all else is deferred. */
function emitNumber(f: FunctionBody, plan: RowKernelPlan, places: Places, field: number, column: number, local: RowLocals): void {
  const { at, record, vector, length, number, bytes, points, sign, hash } = local;
  const point = hash;
  f.block((done) => {
    f.block((isOther) => {
      f.set(sign, i32.eq(i32.load8(get(at)), i32.const(MINUS)));
      f.set(bytes, i32.sub(get(length), get(sign)));
      f.branchIf(isOther, i32.moreU(plus(bytes, -1), i32.const(14)));
      f.set(vector, v128.load(i32.add(get(at), get(sign))));
      const within = i32.sub(i32.shiftLeft(i32.const(1), get(bytes)), i32.const(1));
      f.set(points, i32.and(v128.bitmask8(v128.eq8(get(vector), v128.splat8(POINT))), within));
      f.branchIf(isOther, i32.eq(get(bytes), i32.ne(get(points), i32.const(0)))); // a point and no digit
      f.set(point, i32.trailingZeros(i32.or(get(points), i32.shiftLeft(i32.const(1), get(bytes)))));
      const shuffle = v128.load(i32.shiftLeft(i32.add(i32.shiftLeft(get(bytes), i32.const(4)), get(point)), i32.const(4)), SHUFFLES);
      f.set(vector, v128.swizzle(v128.sub8(get(vector), v128.splat8(ZERO)), shuffle));
      f.branchIf(isOther, v128.anyTrue(v128.moreU8(get(vector), v128.splat8(9))));

      // Pairs of digits, then groups of four, the first most significant.
      const pairs = v128.add16(
        v128.mul16(v128.and(get(vector), v128.splat16(0xff)), v128.splat16(10)),
        v128.shiftRight16(get(vector), 8),
      );
      f.set(vector, v128.dot16(pairs, v128.const([100, 0, 1, 0, 100, 0, 1, 0, 100, 0, 1, 0, 100, 0, 1, 0])));
      const eight = (lane: number): Code =>
        f64.ofI32(i32.add(i32.mul(v128.lane32(get(vector), lane), i32.const(10_000)), v128.lane32(get(vector), lane + 1)));
      const whole = f64.add(f64.mul(eight(0), f64.const(1e8)), eight(2));
      const decimals = select(i32.sub(plus(bytes, -1), get(point)), i32.const(0), get(points));
      f.set(number, f64.div(whole, f64.load(i32.shiftLeft(decimals, i32.const(3)), POWERS)));
      f.set(number, select(f64.sub(f64.const(0), get(number)), get(number), get(sign)));
      f.do(f64.store(i32.shiftLeft(get(record), i32.const(3)), get(number), places.numbers + column * plan.batchRecords * 8));
      f.branch(done);
    });
    emitDeferred(f, field, local);
  });
}
