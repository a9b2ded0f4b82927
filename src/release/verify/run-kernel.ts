import {
  FunctionBody, get, i32, I32, isLittleEndian, moduleBytes, plus, V128, v128,
  type Code,
} from "../../kernels/wasm-module.ts";

/** `sameRunRows` of released-csv.ts in WebAssembly, sixteen bytes at a time. */
export interface RunKernel {
  /** Where bytes of the file are to be put. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Where the first bytes of the run are to be put. */
  readonly run: Uint8Array<ArrayBuffer>;
  /**
   * Rows from `at` that begin with the run's bytes and whose other fields are bare; those close to the end of the bytes are left.
   * @returns where the first other row begins; state[0] is the number of rows
   */
  sameRunRows(at: number, length: number, runLength: number, others: number): number;
  readonly state: Uint32Array;
}

const PAGE = 65_536;
const RUN = 64;
const RUN_BYTES = 4096;
/** Sixteen bytes may be read from any byte of the run. */
const BYTES = RUN + RUN_BYTES + 64;
const LF = 0x0a;
const COMMA = 0x2c;
const QUOTE = 0x22;

/** Undefined where there is no WebAssembly with vectors. */
export function runKernel(room: number): RunKernel | undefined {
  if (typeof WebAssembly === "undefined" || !isLittleEndian()) return undefined;
  try {
    const memory = new WebAssembly.Memory({ initial: Math.ceil((BYTES + room + 64) / PAGE) });
    const module = new WebAssembly.Module(moduleBytes([{ name: "rows", body: rowsBody() }]));
    const { exports } = new WebAssembly.Instance(module, { memory: { memory } });
    const buffer = memory.buffer as ArrayBuffer;
    return {
      bytes: new Uint8Array(buffer, BYTES, room),
      run: new Uint8Array(buffer, RUN, RUN_BYTES),
      sameRunRows: exports["rows"] as RunKernel["sameRunRows"],
      state: new Uint32Array(buffer, 0, 1),
    };
  } catch {
    return undefined;
  }
}

function rowsBody(): FunctionBody {
  const f = new FunctionBody([I32, I32, I32, I32], I32);
  const [at, length, runLength, others] = [f.param(0), f.param(1), f.param(2), f.param(3)];
  const rows = f.local(I32);
  const i = f.local(I32);
  const end = f.local(I32);
  const fields = f.local(I32);
  const lineFeeds = f.local(I32);
  const within = f.local(I32);
  const vector = f.local(V128);
  const places = (byte: number): Code => v128.bitmask8(v128.eq8(get(vector), v128.splat8(byte)));
  const differ = (offset: Code): Code => v128.xor(v128.load(i32.add(get(at), offset)), v128.load(offset, RUN));

  f.set(at, plus(at, BYTES));
  f.set(length, plus(length, BYTES));
  f.block((leave) => {
    f.loop((nextRow) => {
      f.branchIf(leave, i32.moreU(i32.add(plus(at, 32), get(runLength)), get(length)));
      f.if(
        i32.lessU(get(runLength), i32.const(16)),
        () => {
          const equal = v128.bitmask8(v128.eq8(v128.load(get(at)), v128.load(i32.const(RUN))));
          const wanted = i32.sub(i32.shiftLeft(i32.const(1), get(runLength)), i32.const(1));
          f.branchIf(leave, i32.ne(i32.and(equal, wanted), wanted));
        },
        () => {
          f.set(i, i32.const(0));
          f.loop((again) => {
            f.branchIf(leave, v128.anyTrue(differ(get(i))));
            f.set(i, plus(i, 16));
            f.branchIf(again, i32.isZero(i32.moreU(plus(i, 16), get(runLength))));
          });
          // The last sixteen bytes, which may overlap with those before.
          f.branchIf(leave, v128.anyTrue(differ(plus(runLength, -16))));
        },
      );
      f.set(end, i32.add(get(at), get(runLength)));
      f.set(fields, i32.const(1));
      f.loop((again) => {
        f.branchIf(leave, i32.moreU(plus(end, 16), get(length)));
        f.set(vector, v128.load(get(end)));
        f.set(lineFeeds, places(LF));
        // Up to the first line feed; all where there is none.
        f.set(within, i32.xor(get(lineFeeds), plus(lineFeeds, -1)));
        f.branchIf(leave, i32.and(places(QUOTE), get(within)));
        f.set(fields, i32.add(get(fields), i32.bitsSet(i32.and(places(COMMA), get(within)))));
        f.set(end, plus(end, 16));
        f.branchIf(again, i32.isZero(get(lineFeeds)));
      });
      f.branchIf(leave, i32.ne(get(fields), get(others)));
      f.set(rows, plus(rows, 1));
      f.set(at, i32.add(plus(end, -15), i32.trailingZeros(get(lineFeeds))));
      f.branch(nextRow);
    });
  });
  f.do(i32.store(i32.const(0), get(rows)));
  f.return(plus(at, -BYTES));
  return f;
}
