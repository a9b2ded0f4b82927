import { merge, type Cells } from "../../cells/index.ts";

/**
 * How lanes join their cells without any one of them, or the coordinator, touching all: every lane cuts its cells by ranges
 * of their leading codes, each range is merged by one lane, and the merged ranges follow one another in order.
 */

/** Buckets to balance ranges with. */
const MANY_BUCKETS = 256;

/** Leading keys whose codes make up a cell's bucket, as few as give enough buckets. */
export function leadingKeys(sizes: readonly number[]): number {
  let keys = 0;
  let buckets = 1;
  while (keys < sizes.length && buckets < MANY_BUCKETS) buckets *= sizes[keys++]! + 1;
  return keys;
}

/** Give cells their final codes, in place. Cells may then repeat a combination: they are material for a merge. */
export function recodeInPlace(cells: Cells, maps: readonly Int32Array[], sizes: readonly number[]): Cells {
  cells.codes.forEach((codes, key) => {
    const map = maps[key]!;
    for (let cell = 0; cell < cells.size; cell++) if (codes[cell]! >= 0) codes[cell] = map[codes[cell]!]!;
  });
  return { ...cells, sizes };
}

/** [cells] bucket of each cell: its leading codes in mixed radix, null first, so that buckets order like codes. */
export function bucketsOf(cells: Cells): Float64Array {
  const bucket = new Float64Array(cells.size);
  for (let key = 0; key < leadingKeys(cells.sizes); key++) {
    const codes = cells.codes[key]!;
    const radix = cells.sizes[key]! + 1;
    for (let cell = 0; cell < cells.size; cell++) bucket[cell] = bucket[cell]! * radix + codes[cell]! + 1;
  }
  return bucket;
}

/** Buckets at which to cut so that the ranges hold about as many cells each; judged by a sample of every lane's buckets. */
export function cutsFor(samples: readonly Float64Array[], ranges: number): Float64Array {
  const all = new Float64Array(samples.reduce((sum, sample) => sum + sample.length, 0));
  let at = 0;
  for (const sample of samples) {
    all.set(sample, at);
    at += sample.length;
  }
  all.sort();
  return Float64Array.from({ length: ranges - 1 }, (_, range) => all[Math.floor(((range + 1) * all.length) / ranges)] ?? Infinity);
}

/** Every so many cells are looked at to find cuts. */
export function sampleOf(bucket: Float64Array): Float64Array {
  const step = Math.max(1, Math.floor(bucket.length / 4096));
  return Float64Array.from({ length: Math.ceil(bucket.length / step) }, (_, i) => bucket[i * step]!);
}

/** Cells by range: range r has the buckets from cuts[r - 1] up to, not including, cuts[r]. */
export function cutCells(cells: Cells, bucket: Float64Array, cuts: Float64Array): Cells[] {
  const ranges = cuts.length + 1;
  const rangeOf = new Uint8Array(cells.size);
  const held = new Int32Array(ranges);
  for (let cell = 0; cell < cells.size; cell++) {
    let range = 0;
    while (range < cuts.length && bucket[cell]! >= cuts[range]!) range++;
    rangeOf[cell] = range;
    held[range] = held[range]! + 1;
  }
  return Array.from({ length: ranges }, (_, range) => {
    const places = new Int32Array(held[range]!);
    for (let cell = 0, at = 0; cell < cells.size; cell++) if (rangeOf[cell] === range) places[at++] = cell;
    return chosen(cells, places);
  });
}

function chosen(cells: Cells, places: Int32Array): Cells {
  const numbers = (values: Float64Array): Float64Array => {
    const own = new Float64Array(places.length);
    for (let i = 0; i < places.length; i++) own[i] = values[places[i]!]!;
    return own;
  };
  return {
    ...cells,
    size: places.length,
    codes: cells.codes.map((codes) => {
      const own = new Int32Array(places.length);
      for (let i = 0; i < places.length; i++) own[i] = codes[places[i]!]!;
      return own;
    }),
    records: numbers(cells.records),
    ...(cells.weight === undefined ? {} : { weight: numbers(cells.weight) }),
    measures: cells.measures.map((measure) => ({
      name: measure.name, sum: numbers(measure.sum), sumAbs: numbers(measure.sumAbs), min: numbers(measure.min), max: numbers(measure.max),
    })),
  };
}

/** One range of all lanes as cells, sorted. */
export function mergeRange(parts: readonly Cells[]): Cells {
  return merge(parts);
}

/** Merged ranges one after the other: sorted, since ranges ascend. */
export function joinRanges(ranges: readonly Cells[]): Cells {
  const size = ranges.reduce((sum, range) => sum + range.size, 0);
  const numbers = (column: (range: Cells) => Float64Array): Float64Array => {
    const all = new Float64Array(size);
    let at = 0;
    for (const range of ranges) {
      all.set(column(range), at);
      at += range.size;
    }
    return all;
  };
  const first = ranges[0]!;
  return {
    ...first,
    size,
    codes: first.codes.map((_, key) => {
      const all = new Int32Array(size);
      let at = 0;
      for (const range of ranges) {
        all.set(range.codes[key]!, at);
        at += range.size;
      }
      return all;
    }),
    records: numbers((range) => range.records),
    ...(first.weight === undefined ? {} : { weight: numbers((range) => range.weight!) }),
    measures: first.measures.map((measure, m) => ({
      name: measure.name,
      sum: numbers((range) => range.measures[m]!.sum),
      sumAbs: numbers((range) => range.measures[m]!.sumAbs),
      min: numbers((range) => range.measures[m]!.min),
      max: numbers((range) => range.measures[m]!.max),
    })),
  };
}

/** Buffers of cells, to hand them to another thread without a copy. */
export function buffersOf(cells: Cells): ArrayBuffer[] {
  const arrays = [
    ...cells.codes, cells.records, ...(cells.weight === undefined ? [] : [cells.weight]),
    ...cells.measures.flatMap(({ sum, sumAbs, min, max }) => [sum, sumAbs, min, max]),
  ];
  return arrays.map(({ buffer }) => buffer as ArrayBuffer);
}
