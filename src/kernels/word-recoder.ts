import { PACK_BLOCK } from "./block-packer.ts";
import { FunctionBody, get, i32, I32, isLittleEndian, moduleBytes, plus } from "./wasm-module.ts";

/** How one key's code moves from packed words of one layout to another. */
export interface FieldMove {
  readonly word: 0 | 1;
  readonly shift: number;
  readonly mask: number;
  readonly toWord: 0 | 1;
  readonly toShift: number;
  /** [packed codes] new packed code; as long as codes occur. */
  readonly lookup: Int32Array;
}

/** Recodes packed words, all keys of a block while it is in the cache, and counts what it recodes. */
export interface WordRecoder {
  /**
   * @param words  [2][size] source, the first may be empty
   * @param target [2] as the moves say; written from `at` on
   */
  recode(words: readonly Uint32Array[], size: number, target: readonly Uint32Array[], at: number): void;
  /** [moves][packed codes before] how many were recoded. */
  counts(): Uint32Array[];
}

export function wordRecoder(moves: readonly FieldMove[]): WordRecoder {
  return inWebAssembly(moves) ?? plain(moves);
}

function plain(moves: readonly FieldMove[]): WordRecoder {
  const counts = moves.map(({ lookup }) => new Uint32Array(lookup.length));
  const shifted = moves.map(({ lookup, toShift }) => lookup.map((code) => code << toShift));
  return {
    recode(words, size, target, at) {
      for (const own of target) if (own.length > 0) own.fill(0, at, at + size);
      moves.forEach(({ word, shift, mask, toWord }, m) => {
        recodePlainly(words[word]!, size, shift, mask, shifted[m]!, counts[m]!, target[toWord]!, at);
      });
    },
    counts: () => counts,
  };
}

function recodePlainly(
  source: Uint32Array, size: number, shift: number, mask: number, lookup: Int32Array, counts: Uint32Array, target: Uint32Array, at: number,
): void {
  for (let i = 0, to = at; i < size; i++, to++) {
    const code = (source[i]! >>> shift) & mask;
    target[to] = target[to]! | lookup[code]!;
    counts[code] = counts[code]! + 1;
  }
}

const PAGE = 65_536;
const BLOCK_BYTES = PACK_BLOCK * 4;
/** Two words of a block, then two recoded ones, then for each move its entries: new code in place, count. */
const TARGETS_AT = BLOCK_BYTES * 2;
const ENTRIES_AT = BLOCK_BYTES * 4;
const MOST_BYTES = 2 ** 30;
let compiled: WebAssembly.Module | undefined;

function inWebAssembly(moves: readonly FieldMove[]): WordRecoder | undefined {
  if (typeof WebAssembly === "undefined" || !isLittleEndian()) return undefined;
  const starts: number[] = [];
  let end = ENTRIES_AT;
  for (const { lookup } of moves) {
    starts.push(end);
    end += lookup.length * 8;
  }
  if (end > MOST_BYTES) return undefined;
  try {
    compiled ??= new WebAssembly.Module(moduleBytes([{ name: "recode", body: recodeBody() }]));
    const memory = new WebAssembly.Memory({ initial: Math.ceil(end / PAGE) });
    const { exports } = new WebAssembly.Instance(compiled, { memory: { memory } });
    const recode = exports["recode"] as (at: number, end: number, shift: number, mask: number, entries: number, to: number) => void;
    const blocks = [0, 1].map((word) => new Uint32Array(memory.buffer, word * BLOCK_BYTES, PACK_BLOCK));
    const targets = [0, 1].map((word) => new Uint32Array(memory.buffer, TARGETS_AT + word * BLOCK_BYTES, PACK_BLOCK));
    const entries = moves.map(({ lookup }, m) => new Uint32Array(memory.buffer, starts[m]!, lookup.length * 2));
    moves.forEach(({ lookup, toShift }, m) => lookup.forEach((code, from) => (entries[m]![from * 2] = code << toShift)));
    return {
      recode(words, size, target, at) {
        for (let start = 0; start < size; start += PACK_BLOCK) {
          const records = Math.min(PACK_BLOCK, size - start);
          words.forEach((own, word) => {
            if (own.length > 0) blocks[word]!.set(own.subarray(start, start + records));
          });
          for (const own of targets) own.fill(0, 0, records);
          moves.forEach(({ word, shift, mask, toWord }, m) => {
            const from = word * BLOCK_BYTES;
            recode(from, from + records * 4, shift, mask, starts[m]!, TARGETS_AT + toWord * BLOCK_BYTES);
          });
          target.forEach((own, word) => {
            if (own.length > 0) own.set(targets[word]!.subarray(0, records), at + start);
          });
        }
      },
      counts: () => entries.map((own) => Uint32Array.from({ length: own.length / 2 }, (_, code) => own[code * 2 + 1]!)),
    };
  } catch {
    return undefined;
  }
}

/** One key of the words at .. end - 1, at least one. */
function recodeBody(): FunctionBody {
  const f = new FunctionBody([I32, I32, I32, I32, I32, I32]);
  const [at, end, shift, mask, entries, to] = [f.param(0), f.param(1), f.param(2), f.param(3), f.param(4), f.param(5)];
  const entry = f.local(I32);
  f.loop((again) => {
    f.set(entry, i32.add(get(entries), i32.shiftLeft(i32.and(i32.shiftRight(i32.load(get(at)), get(shift)), get(mask)), i32.const(3))));
    f.do(i32.store(get(to), i32.or(i32.load(get(to)), i32.load(get(entry)))));
    f.do(i32.store(get(entry), i32.add(i32.load(get(entry), 4), i32.const(1)), 4));
    f.set(to, plus(to, 4));
    f.set(at, plus(at, 4));
    f.branchIf(again, i32.lessU(get(at), get(end)));
  });
  return f;
}
