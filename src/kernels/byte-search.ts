import { FunctionBody, get, i32, I32, moduleBytes, v128, V128, type Code } from "./wasm-module.ts";

/** Room for bytes that can be searched 64 at a time. */
export interface SearchableBytes {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Whether a byte occurs in bytes[from..to). */
  has(byte: number, from: number, to: number): boolean;
}

const PAGE = 65_536;
let compiled: WebAssembly.Module | undefined;

/** In the memory of WebAssembly where there is one, else plain. Room for 2^31 bytes at most. */
export function searchableBytes(size: number): SearchableBytes {
  return inWebAssembly(size) ?? plain(new Uint8Array(size));
}

function plain(bytes: Uint8Array<ArrayBuffer>): SearchableBytes {
  return { bytes, has: (byte, from, to) => bytes.subarray(from, to).includes(byte) };
}

function inWebAssembly(size: number): SearchableBytes | undefined {
  if (typeof WebAssembly === "undefined") return undefined;
  try {
    compiled ??= new WebAssembly.Module(moduleBytes([{ name: "has", body: hasBody() }]));
    const memory = new WebAssembly.Memory({ initial: Math.max(1, Math.ceil(size / PAGE)) });
    const { exports } = new WebAssembly.Instance(compiled, { memory: { memory } });
    const has = exports["has"] as (byte: number, from: number, to: number) => number;
    return { bytes: new Uint8Array(memory.buffer, 0, size), has: (byte, from, to) => has(byte, from, to) !== 0 };
  } catch {
    return undefined;
  }
}

function hasBody(): FunctionBody {
  const f = new FunctionBody([I32, I32, I32], I32);
  const [byte, from, to] = [f.param(0), f.param(1), f.param(2)];
  const wanted = f.local(V128);
  const same = (k: number): Code => v128.eq8(v128.load(get(from), k * 16), get(wanted));
  f.set(wanted, v128.splat8Of(get(byte)));
  f.block((rest) => {
    f.loop((again) => {
      f.branchIf(rest, i32.moreU(i32.add(get(from), i32.const(64)), get(to)));
      f.if(v128.anyTrue(v128.or(v128.or(same(0), same(1)), v128.or(same(2), same(3)))), () => f.return(i32.const(1)));
      f.set(from, i32.add(get(from), i32.const(64)));
      f.branch(again);
    });
  });
  f.block((none) => {
    f.loop((again) => {
      f.branchIf(none, i32.isZero(i32.lessU(get(from), get(to))));
      f.if(i32.eq(i32.load8(get(from)), get(byte)), () => f.return(i32.const(1)));
      f.set(from, i32.add(get(from), i32.const(1)));
      f.branch(again);
    });
  });
  f.return(i32.const(0));
  return f;
}
