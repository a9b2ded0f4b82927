import { FunctionBody, get, i32, I32, isLittleEndian, moduleBytes, v128, V128 } from "./wasm-module.ts";

/** Records of a block, at most: its columns stay in the first-level cache. */
export const PACK_BLOCK = 4096;

/** Packs columns of codes into one or two words per record, block by block. */
export interface BlockPacker {
  /** [2][PACK_BLOCK] words of the block. */
  readonly words: readonly Uint32Array[];
  /** Begin a block of so many records: their words are zero. */
  begin(records: number): void;
  /**
   * Or (code + 1) << shift into a word of each record.
   * @param codes  -1 for null
   * @param start  first of the block's records in `codes`
   * @returns highest code + 1, 0 without any; where that does not fit its bits, the words are spoilt
   */
  add(codes: Int32Array, start: number, word: 0 | 1, shift: number): number;
}

export function blockPacker(): BlockPacker {
  return inWebAssembly() ?? plain();
}

function plain(): BlockPacker {
  const words = [new Uint32Array(PACK_BLOCK), new Uint32Array(PACK_BLOCK)];
  let records = 0;
  return {
    words,
    begin(wanted) {
      records = wanted;
      for (const own of words) own.fill(0, 0, records);
    },
    add: (codes, start, word, shift) => packPlainly(codes, start, records, shift, words[word]!),
  };
}

function packPlainly(codes: Int32Array, start: number, records: number, shift: number, out: Uint32Array): number {
  let highest = -1;
  for (let i = start, to = 0; to < records; i++, to++) {
    const code = codes[i]!;
    if (code > highest) highest = code;
    out[to] = out[to]! | ((code + 1) << shift);
  }
  return highest + 1;
}

const BLOCK_BYTES = PACK_BLOCK * 4;
const WORDS_AT = BLOCK_BYTES;
let compiled: WebAssembly.Module | undefined;

function inWebAssembly(): BlockPacker | undefined {
  if (typeof WebAssembly === "undefined" || !isLittleEndian()) return undefined;
  try {
    compiled ??= new WebAssembly.Module(moduleBytes([{ name: "pack", body: packBody() }]));
    const memory = new WebAssembly.Memory({ initial: 1 });
    const { exports } = new WebAssembly.Instance(compiled, { memory: { memory } });
    const pack = exports["pack"] as (to: number, bytes: number, shift: number) => number;
    const column = new Int32Array(memory.buffer, 0, PACK_BLOCK);
    const words = [0, 1].map((word) => new Uint32Array(memory.buffer, WORDS_AT + word * BLOCK_BYTES, PACK_BLOCK));
    let records = 0;
    return {
      words,
      begin(wanted) {
        records = wanted;
        for (const own of words) own.fill(0, 0, records);
      },
      add(codes, start, word, shift) {
        if (records === 0) return 0;
        column.set(codes.subarray(start, start + records));
        column.fill(-1, records, (records + 3) & ~3); // four at a time
        return pack(WORDS_AT + word * BLOCK_BYTES, records * 4, shift) >>> 0;
      },
    };
  } catch {
    return undefined;
  }
}

/** Codes from 0 on, `bytes` of them rounded up to sixteen. */
function packBody(): FunctionBody {
  const f = new FunctionBody([I32, I32, I32], I32);
  const [to, bytes, shift] = [f.param(0), f.param(1), f.param(2)];
  const at = f.local(I32);
  const entry = f.local(V128);
  const highest = f.local(V128);
  const one = v128.const(new Uint8Array(new Int32Array([1, 1, 1, 1]).buffer));
  f.loop((again) => {
    f.set(entry, v128.add32(v128.load(get(at)), one));
    f.set(highest, v128.maxU32(get(highest), get(entry)));
    f.do(v128.store(get(to), v128.or(v128.load(get(to)), v128.shiftLeft32(get(entry), get(shift)))));
    f.set(to, i32.add(get(to), i32.const(16)));
    f.set(at, i32.add(get(at), i32.const(16)));
    f.branchIf(again, i32.lessU(get(at), get(bytes)));
  });
  const lane = at;
  f.set(lane, v128.lane32(get(highest), 0));
  for (let k = 1; k < 4; k++) f.if(i32.moreU(v128.lane32(get(highest), k), get(lane)), () => f.set(lane, v128.lane32(get(highest), k)));
  f.return(get(lane));
  return f;
}
