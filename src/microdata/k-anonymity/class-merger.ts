import { FunctionBody, f64, F64, get, i32, I32, isLittleEndian, moduleBytes, plus } from "../../kernels/wasm-module.ts";
import { GOLDEN, mergeWords, recodeWords, type Recoding } from "./kernel.ts";

/** Recodes and merges classes of one packed word, a block at a time while it is in the cache. */
export interface ClassMerger {
  /** [classes] groups found; `records` of each. */
  readonly words: Int32Array;
  readonly records: Float64Array;
  /** What becomes of words before they are merged, until it is said anew. */
  begin(recoding: Recoding): void;
  /**
   * As {@link mergeWords}, into `words` and `records`, which must not overlap the input.
   * @returns number of groups, those before included
   */
  merge(words: Int32Array, records: Float64Array, from: number, to: number, bits: number, skip: number, groups: number): number;
}

/**
 * @param classes most that there will be
 * @param codes   codes of all keys together
 */
export function classMerger(classes: number, codes: number): ClassMerger {
  return inWebAssembly(classes, codes) ?? plain(classes);
}

function plain(classes: number): ClassMerger {
  const own = { words: new Int32Array(classes), records: new Float64Array(classes) };
  const recoded = new Int32Array(classes);
  let slots = new Int32Array(1 << 10);
  let how: Recoding | undefined;
  return {
    ...own,
    begin(recoding) {
      how = recoding;
    },
    merge(words, records, from, to, bits, skip, groups) {
      if (slots.length < 1 << bits) slots = new Int32Array(1 << bits);
      recodeWords(words.subarray(from, to), recoded, to - from, how!);
      return mergeWords(recoded, records.subarray(from, to), 0, to - from, slots, bits, skip, own.words, own.records, groups);
    },
  };
}

const PAGE = 65_536;
const BLOCK = 1 << 13;
const BLOCK_RECORDS_AT = BLOCK * 4;
const CHANGES_AT = BLOCK * 12;
const MOST_BYTES = 2 ** 30;
let compiled: WebAssembly.Module | undefined;

interface MergerExports {
  keep(end: number, keep: number, put: number): void;
  recode(end: number, shift: number, mask: number, change: number): void;
  merge(
    end: number, slots: number, bits: number, skip: number, outWords: number, outRecords: number, groups: number,
  ): number;
}

function inWebAssembly(classes: number, codes: number): ClassMerger | undefined {
  if (typeof WebAssembly === "undefined" || !isLittleEndian()) return undefined;
  // Tables of changes stay for as long as there is room for them.
  const slotsAt = CHANGES_AT + Math.max(PAGE, codes * 16);
  const slots = 2 ** Math.max(4, Math.ceil(Math.log2(classes + 1)) + 1);
  const recordsAt = slotsAt + slots * 4;
  const wordsAt = recordsAt + classes * 8;
  const bytes = wordsAt + classes * 4;
  if (bytes > MOST_BYTES) return undefined;
  try {
    compiled ??= new WebAssembly.Module(moduleBytes([
      { name: "keep", body: keepBody() }, { name: "recode", body: recodeBody() }, { name: "merge", body: mergeBody() },
    ]));
    const memory = new WebAssembly.Memory({ initial: Math.ceil(bytes / PAGE) });
    const kernel = new WebAssembly.Instance(compiled, { memory: { memory } }).exports as unknown as MergerExports;
    const blockWords = new Int32Array(memory.buffer, 0, BLOCK);
    const blockRecords = new Float64Array(memory.buffer, BLOCK_RECORDS_AT, BLOCK);
    const slotsView = new Int32Array(memory.buffer, slotsAt, slots);
    const places = new Map<Int32Array, number>();
    let free = CHANGES_AT;
    const placeOf = (change: Int32Array): number => {
      let place = places.get(change);
      if (place === undefined) {
        place = free;
        free += change.byteLength;
        new Int32Array(memory.buffer, place, change.length).set(change);
        places.set(change, place);
      }
      return place;
    };
    let how: Recoding | undefined;
    let moves: { readonly shift: number; readonly mask: number; readonly place: number }[] = [];
    return {
      words: new Int32Array(memory.buffer, wordsAt, classes),
      records: new Float64Array(memory.buffer, recordsAt, classes),
      begin(recoding) {
        how = recoding;
        const wanted = recoding.changes.reduce((sum, { change }) => sum + (places.has(change) ? 0 : change.byteLength), 0);
        if (free + wanted > slotsAt) {
          places.clear();
          free = CHANGES_AT;
        }
        moves = recoding.changes.map(({ shift, mask, change }) => ({ shift, mask, place: placeOf(change) }));
      },
      merge(words, records, from, to, bits, skip, groups) {
        slotsView.fill(0, 0, 1 << bits);
        let found = groups;
        for (let start = from; start < to; start += BLOCK) {
          const end = Math.min(to, start + BLOCK);
          blockWords.set(words.subarray(start, end));
          blockRecords.set(records.subarray(start, end));
          const blockEnd = (end - start) * 4;
          if (how!.keep !== -1) kernel.keep(blockEnd, how!.keep, how!.put);
          for (const { shift, mask, place } of moves) kernel.recode(blockEnd, shift, mask, place);
          found = kernel.merge(blockEnd, slotsAt, bits, skip, wordsAt, recordsAt, found);
        }
        return found;
      },
    };
  } catch {
    return undefined;
  }
}

/** Words of the block, which begins at 0: some bits kept, some put. */
function keepBody(): FunctionBody {
  const f = new FunctionBody([I32, I32, I32]);
  const [end, keep, put] = [f.param(0), f.param(1), f.param(2)];
  const at = f.local(I32);
  f.loop((again) => {
    f.do(i32.store(get(at), i32.or(i32.and(i32.load(get(at)), get(keep)), get(put))));
    f.set(at, plus(at, 4));
    f.branchIf(again, i32.lessU(get(at), get(end)));
  });
  return f;
}

/** One key of the words of the block. */
function recodeBody(): FunctionBody {
  const f = new FunctionBody([I32, I32, I32, I32]);
  const [end, shift, mask, change] = [f.param(0), f.param(1), f.param(2), f.param(3)];
  const at = f.local(I32);
  const word = f.local(I32);
  f.loop((again) => {
    f.set(word, i32.load(get(at)));
    const entry = i32.shiftLeft(i32.and(i32.shiftRight(get(word), get(shift)), get(mask)), i32.const(2));
    f.do(i32.store(get(at), i32.xor(get(word), i32.load(i32.add(get(change), entry)))));
    f.set(at, plus(at, 4));
    f.branchIf(again, i32.lessU(get(at), get(end)));
  });
  return f;
}

/** As `mergeWords`, of the block. */
function mergeBody(): FunctionBody {
  const f = new FunctionBody([I32, I32, I32, I32, I32, I32, I32], I32);
  const [end, slots, bits, skip] = [f.param(0), f.param(1), f.param(2), f.param(3)];
  const [outWords, outRecords, groups] = [f.param(4), f.param(5), f.param(6)];
  const [at, word, slot, entry] = [f.local(I32), f.local(I32), f.local(I32), f.local(I32)];
  const [mask, shift, group, place] = [f.local(I32), f.local(I32), f.local(I32), f.local(I32)];
  const size = f.local(F64);
  f.set(shift, i32.sub(i32.const(32), get(bits)));
  f.set(mask, i32.sub(i32.shiftLeft(i32.const(1), get(bits)), i32.const(1)));
  f.loop((again) => {
    f.set(word, i32.load(get(at)));
    f.set(size, f64.load(i32.shiftLeft(get(at), i32.const(1)), BLOCK_RECORDS_AT));
    f.set(slot, i32.shiftRight(i32.shiftLeft(i32.mul(get(word), i32.const(GOLDEN)), get(skip)), get(shift)));
    f.block((done) => {
      f.loop((probe) => {
        f.set(entry, i32.add(get(slots), i32.shiftLeft(get(slot), i32.const(2))));
        f.set(group, i32.load(get(entry)));
        f.if(i32.isZero(get(group)), () => {
          f.do(i32.store(i32.add(get(outWords), i32.shiftLeft(get(groups), i32.const(2))), get(word)));
          f.do(f64.store(i32.add(get(outRecords), i32.shiftLeft(get(groups), i32.const(3))), get(size)));
          f.set(groups, plus(groups, 1));
          f.do(i32.store(get(entry), get(groups)));
          f.branch(done);
        });
        f.set(group, i32.sub(get(group), i32.const(1)));
        f.if(i32.eq(i32.load(i32.add(get(outWords), i32.shiftLeft(get(group), i32.const(2)))), get(word)), () => {
          f.set(place, i32.add(get(outRecords), i32.shiftLeft(get(group), i32.const(3))));
          f.do(f64.store(get(place), f64.add(f64.load(get(place)), get(size))));
          f.branch(done);
        });
        f.set(slot, i32.and(plus(slot, 1), get(mask)));
        f.branch(probe);
      });
    });
    f.set(at, plus(at, 4));
    f.branchIf(again, i32.lessU(get(at), get(end)));
  });
  f.return(get(groups));
  return f;
}
