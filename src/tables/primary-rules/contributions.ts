/** Who contributes what to the inner cells of a table system: what rules on contributors decide on. */
export interface Contributions {
  /** Entries; one for each contributor in each inner cell, or one for each record where every record is a contributor of its own. */
  readonly entries: number;
  /** [entries] inner cell of the system. */
  readonly inner: Int32Array;
  /** [entries] contributor, 0 .. contributors - 1. */
  readonly contributor: Int32Array;
  readonly contributors: number;
  /** [contributors] holding that the contributor belongs to, 0 .. ; absent when contributors stand for themselves. */
  readonly holding?: Int32Array | undefined;
  /** [entries] records of the entry. */
  readonly records: Float64Array;
  /** [entries] sum of sampling weights over those records; absent when the data have no weight. */
  readonly weight?: Float64Array | undefined;
  /** [entries] sum of the measure over those records, unweighted; absent for counts. */
  readonly value?: Float64Array | undefined;
  /** [entries] sum of weight times measure over those records. When absent, the mean weight of the entry times its value. */
  readonly weightedValue?: Float64Array | undefined;
  /** [entries] sum of the absolute values of the measure over those records. When absent, the absolute value of their sum. */
  readonly absolute?: Float64Array | undefined;
  /** [contributors] 1 where the contributor asked for confidentiality (request rule). */
  readonly requested?: Uint8Array | undefined;
}
