import type { ColumnFacts } from "./column-facts.ts";

/** Whether two columns say the same in other words: each value of one goes with exactly one value of the other. */
export function saysTheSame(a: ColumnFacts, b: ColumnFacts): boolean {
  const [first, second] = [a.sampleCodes, b.sampleCodes];
  if (first === undefined || second === undefined || a.distinct !== b.distinct || a.distinct < 3) return false;
  if (a.missing !== b.missing) return false;
  const forward = new Map<number, number>();
  const back = new Map<number, number>();
  for (let i = 0; i < first.length; i++) {
    const [x, y] = [first[i]!, second[i]!];
    const known = forward.get(x);
    if (known === undefined) {
      if (back.has(y)) return false;
      forward.set(x, y);
      back.set(y, x);
    } else if (known !== y) return false;
  }
  // Where every record has its own value, every column goes with every other.
  return forward.size < first.length / 2;
}

/** Whether no two sampled records agree in all of the columns. */
export function tellsRecordsApart(columns: readonly ColumnFacts[]): boolean {
  return shareOfUniques(columns) === 1;
}

/** Share of the sampled records that are alone in their combination of values; 1 without columns to compare. */
export function shareOfUniques(columns: readonly ColumnFacts[]): number {
  const codes = columns.map(({ sampleCodes }) => sampleCodes);
  const records = codes[0]?.length ?? 0;
  if (records === 0 || codes.includes(undefined)) return 1;
  // Combine column by column: pairs of class and code are numbered anew, so that no text is joined.
  let classOf = new Int32Array(records);
  for (const column of codes) {
    const seen = new Map<number, number>();
    const next = new Int32Array(records);
    for (let i = 0; i < records; i++) {
      const pair = classOf[i]! * 2 ** 26 + (column![i]! + 1); // both are below 2^26, as the sample is small
      let id = seen.get(pair);
      if (id === undefined) seen.set(pair, (id = seen.size));
      next[i] = id;
    }
    classOf = next;
  }
  const sizes = new Int32Array(records);
  for (let i = 0; i < records; i++) sizes[classOf[i]!]!++;
  let uniques = 0;
  for (let c = 0; c < records; c++) if (sizes[c] === 1) uniques++;
  return uniques / records;
}
