/** How many classes there are of each size; all measures of class risk follow from it. */
export interface ClassSizeCount {
  /** Records in a class. */
  readonly size: number;
  /** Classes of that size. */
  readonly classes: number;
}

/** Risk of being singled out by the keys. Plain JSON; counts are exact integers below 2^53. */
export interface ClassRisk {
  readonly records: number;
  /** Equivalence classes: combinations of key values that occur. */
  readonly classes: number;
  /** Records in the smallest class, the largest k for which the data are k-anonymous; 0 without records. */
  readonly smallestClass: number;
  /** Records in the largest class. */
  readonly largestClass: number;
  /** Records alone in their class (sample uniques). */
  readonly uniques: number;
  /** Largest prosecutor risk of a record, 1 / smallest class; 0 without records. */
  readonly highestRisk: number;
  /** Mean prosecutor risk of a record, classes / records (also called marketer risk); 0 without records. */
  readonly averageRisk: number;
  /** Sizes that occur, ascending. */
  readonly classSizes: readonly ClassSizeCount[];
}

const SMALL_SIZES = 4096;

/**
 * Measures from the sizes of classes, in any order. Sizes are whole numbers; classes of 0 records do not count.
 *
 * Prosecutor risk of a record is 1 / size of its class: the chance that an intruder who knows that a person is in the
 * data, and knows the keys, picks the right record. Source: Dankar and El Emam (2010); methods with other intruders need
 * the population.
 *
 * Time O(classes + sizes log sizes).
 */
export function classRisk(sizes: ArrayLike<number>): ClassRisk {
  // Most classes are small, and small sizes are counted without a look-up, by two counters each: equal sizes that follow one
  // another need not wait for one another.
  const small = new Uint32Array(SMALL_SIZES * 2);
  const count = new Map<number, number>();
  for (let i = 0; i < sizes.length; i++) {
    const size = sizes[i]!;
    if (size < SMALL_SIZES) small[(size << 1) | (i & 1)]!++;
    else count.set(size, (count.get(size) ?? 0) + 1);
  }
  for (let size = 1; size < SMALL_SIZES; size++) {
    const of = small[size * 2]! + small[size * 2 + 1]!;
    if (of > 0) count.set(size, of);
  }
  let records = 0;
  let classes = 0;
  for (const [size, of] of count) {
    records += size * of;
    classes += of;
  }
  const classSizes = Array.from(count, ([size, of]) => ({ size, classes: of })).sort((a, b) => a.size - b.size);
  const smallestClass = classSizes[0]?.size ?? 0;
  return {
    records,
    classes,
    smallestClass,
    largestClass: classSizes.at(-1)?.size ?? 0,
    uniques: count.get(1) ?? 0,
    highestRisk: records === 0 ? 0 : 1 / smallestClass,
    averageRisk: records === 0 ? 0 : classes / records,
    classSizes,
  };
}

/** Records in classes smaller than k, and how many such classes there are. */
export function belowK(risk: Pick<ClassRisk, "classSizes">, k: number): { readonly records: number; readonly classes: number } {
  let records = 0;
  let classes = 0;
  for (const { size, classes: of } of risk.classSizes) {
    if (size >= k) break;
    records += size * of;
    classes += of;
  }
  return { records, classes };
}
