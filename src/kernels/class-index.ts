/**
 * Finds the class of a record from its key codes. Codes are packed into one number below 2^53 (mixed radix, null first). Where
 * the product of the key sizes is small the number indexes a table; where combinations of the large keys are few, those that
 * occur have a table of the small keys each; otherwise it is hashed.
 */
export interface ClassIndex {
  /** [keys] factor of each key in the packed number. */
  readonly strides: Float64Array;
  /** Present when packed numbers index directly: [product] class or -1. */
  readonly direct: Int32Array | undefined;
  readonly blocks: ClassBlocks | undefined;
  /** Otherwise open addressing: packed number (-1 when free) and class per slot. */
  readonly slotKey: Float64Array;
  readonly slotClass: Int32Array;
}

/** Number n stands for the class at classes[starts[n >>> bits] + low bits of n]. */
interface ClassBlocks {
  readonly bits: number;
  /** [numbers >>> bits] where a block begins; 0 for the block without any class. */
  readonly starts: Int32Array;
  readonly classes: Int32Array;
}

const DIRECT_LIMIT = 1 << 22;
/** Entries of a block, at most, and of all blocks together: what is looked at stays in the cache. */
const BLOCK_BITS = 13;
const BLOCKED_LIMIT = 1 << 22;

/**
 * @param codes   [keys][classes] code of each key in each class, -1 for null
 * @param sizes   [keys] codes per key; the product of size + 1 must stay below 2^53
 * Time and memory O(classes), or O(product of sizes) up to 4M entries.
 */
function buildClassIndex(codes: readonly Int32Array[], sizes: readonly number[], classes: number): ClassIndex {
  const { strides, product } = mixedRadix(sizes, sizes.map((_, key) => sizes.length - 1 - key), 1);
  const none = { direct: undefined, blocks: undefined, slotKey: new Float64Array(0), slotClass: new Int32Array(0) };
  if (product <= DIRECT_LIMIT) {
    const direct = new Int32Array(product).fill(-1);
    const numbers = packedNumbers(codes, strides, classes);
    for (let item = 0; item < classes; item++) direct[numbers[item]!] = item;
    return { ...none, strides, direct };
  }
  const blocked = blocksOf(codes, sizes, classes);
  if (blocked !== undefined) return { ...none, ...blocked };
  let slots = 16;
  while (slots < classes * 2) slots *= 2;
  const slotKey = new Float64Array(slots).fill(-1);
  const slotClass = new Int32Array(slots).fill(-1);
  const numbers = packedNumbers(codes, strides, classes);
  for (let item = 0; item < classes; item++) {
    const number = numbers[item]!;
    let slot = packedHash(number) & (slots - 1);
    while (slotKey[slot] !== -1) slot = (slot + 1) & (slots - 1);
    slotKey[slot] = number;
    slotClass[slot] = item;
  }
  return { ...none, strides, slotKey, slotClass };
}

/** Factors of keys, the first of `order` least significant, from `first` on. */
function mixedRadix(sizes: readonly number[], order: readonly number[], first: number): { strides: Float64Array; product: number } {
  const strides = new Float64Array(sizes.length);
  let product = first;
  for (const key of order) {
    strides[key] = product;
    product *= sizes[key]! + 1;
  }
  return { strides, product };
}

/** [classes] */
function packedNumbers(codes: readonly Int32Array[], strides: Float64Array, classes: number): Float64Array {
  const numbers = new Float64Array(classes);
  codes.forEach((own, key) => {
    const stride = strides[key]!;
    for (let item = 0; item < classes; item++) numbers[item] = numbers[item]! + (own[item]! + 1) * stride;
  });
  return numbers;
}

/** Small keys make the place in a block, large ones say which block. Undefined when the blocks would be too many. */
function blocksOf(codes: readonly Int32Array[], sizes: readonly number[], classes: number): { strides: Float64Array; blocks: ClassBlocks } | undefined {
  const bySize = sizes.map((_, key) => key).sort((a, b) => sizes[a]! - sizes[b]! || a - b);
  let small = 0;
  for (let product = 1; small < sizes.length; small++) if ((product *= sizes[bySize[small]!]! + 1) > 1 << BLOCK_BITS) break;
  const low = mixedRadix(sizes, bySize.slice(0, small), 1);
  const bits = Math.ceil(Math.log2(low.product));
  const high = mixedRadix(sizes, bySize.slice(small), 2 ** bits);
  if (high.product >= 2 ** 31 || high.product / 2 ** bits > BLOCKED_LIMIT) return undefined;
  const strides = low.strides.map((stride, key) => stride + high.strides[key]!);
  const starts = new Int32Array(high.product / 2 ** bits);
  const numbers = packedNumbers(codes, strides, classes);
  let blocks = 1;
  for (let item = 0; item < classes; item++) {
    const block = numbers[item]! >>> bits;
    if (starts[block] === 0) starts[block] = blocks++ << bits;
    if (blocks > BLOCKED_LIMIT >>> bits) return undefined;
  }
  const found = new Int32Array(blocks << bits).fill(-1);
  const mask = (1 << bits) - 1;
  for (let item = 0; item < classes; item++) {
    const number = numbers[item]!;
    found[starts[number >>> bits]! + (number & mask)] = item;
  }
  return { strides, blocks: { bits, starts, classes: found } };
}

/** Class of a packed number, -1 when there is none. */
export function classOf(index: ClassIndex, number: number): number {
  if (index.direct !== undefined) return index.direct[number]!;
  if (index.blocks !== undefined) {
    const { bits, starts, classes } = index.blocks;
    return classes[starts[number >>> bits]! + (number & ((1 << bits) - 1))]!;
  }
  const mask = index.slotKey.length - 1;
  for (let slot = packedHash(number) & mask; ; slot = (slot + 1) & mask) {
    const key = index.slotKey[slot]!;
    if (key === number) return index.slotClass[slot]!;
    if (key === -1) return -1;
  }
}

/** Packed numbers, all below 2^31, become classes, -1 for none. */
export function lookUpClasses(index: ClassIndex, packed: Int32Array): void {
  const { direct, blocks } = index;
  if (direct !== undefined) for (let i = 0; i < packed.length; i++) packed[i] = direct[packed[i]!]!;
  else if (blocks !== undefined) {
    const { bits, starts, classes } = blocks;
    const mask = (1 << bits) - 1;
    for (let i = 0; i < packed.length; i++) packed[i] = classes[starts[packed[i]! >>> bits]! + (packed[i]! & mask)]!;
  } else for (let i = 0; i < packed.length; i++) packed[i] = classOf(index, packed[i]!);
}

function packedHash(number: number): number {
  const high = (number / 0x100000000) | 0;
  let h = Math.imul((number >>> 0) ^ Math.imul(high, 0x9e3779b1), 0x85ebca6b);
  h ^= h >>> 15;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 13)) >>> 0;
}

/** One step of a lookup: the result of the step before and the codes of keys from .. to - 1 give the next result. */
export interface ClassStage {
  readonly from: number;
  readonly to: number;
  readonly index: ClassIndex;
  /** Factor of the previous step's result in the packed number. */
  readonly previousStride: number;
}

/**
 * A lookup from key codes to class. One stage, unless the product of the key sizes passes 2^53: then leading keys are first
 * looked up as a prefix, and the prefix stands for them in the next stage.
 *
 * @param codes [keys][classes] distinct combinations, -1 for null
 * Time O(classes x keys).
 */
export function buildClassStages(codes: readonly Int32Array[], sizes: readonly number[], classes: number): ClassStage[] {
  const stages: ClassStage[] = [];
  // prefixOf: [classes] combination of the keys already handled; -1 while there are none.
  let prefixOf = new Int32Array(classes).fill(-1);
  let prefixes = 0;
  let from = 0;
  do {
    let to = from;
    let product = prefixes + 1;
    while (to < sizes.length && product * (sizes[to]! + 1) < Number.MAX_SAFE_INTEGER) product *= sizes[to++]! + 1;
    const stageCodes = [prefixOf, ...codes.slice(from, to)];
    const stageSizes = [prefixes, ...sizes.slice(from, to)];
    const last = to === sizes.length;
    if (last) {
      const index = buildClassIndex(stageCodes, stageSizes, classes);
      stages.push({ from, to, index: { ...index, strides: index.strides.slice(1) }, previousStride: index.strides[0]! });
    } else {
      // Distinct prefixes among the classes, numbered in order of first sight.
      const all = buildClassIndex(stageCodes, stageSizes, classes);
      const seen = new Map<number, number>();
      const next = new Int32Array(classes);
      const firstOf: number[] = [];
      const numbers = packedNumbers(stageCodes, all.strides, classes);
      for (let item = 0; item < classes; item++) {
        const number = numbers[item]!;
        let prefix = seen.get(number);
        if (prefix === undefined) {
          prefix = firstOf.length;
          seen.set(number, prefix);
          firstOf.push(item);
        }
        next[item] = prefix;
      }
      const distinct = stageCodes.map((column) => Int32Array.from(firstOf, (item) => column[item]!));
      const index = buildClassIndex(distinct, stageSizes, firstOf.length);
      stages.push({ from, to, index: { ...index, strides: index.strides.slice(1) }, previousStride: index.strides[0]! });
      prefixOf = next;
      prefixes = firstOf.length;
    }
    from = to;
  } while (from < sizes.length);
  return stages;
}
