import type { RandomBits } from "../../random/random-bits.ts";
import type { TableSystem } from "../tabulate/index.ts";

/** What a method that changes counts may use. */
export interface PerturbationInput {
  readonly system: TableSystem;
  /** [inner] sum of the record keys of each inner cell's records; there when the method needs record keys. */
  readonly recordKeys?: Float64Array | undefined;
  /** Secure bits, or seeded ones in a rehearsal. */
  readonly random: RandomBits;
  /** Bits that depend on the agency's key and the label alone: the same label gives the same stream. For noise that must repeat. */
  readonly keyed?: ((label: string) => RandomBits) | undefined;
  /** Text of the category at a place of a column of the system, null for missing values; needed with `keyed`. */
  readonly labelOf?: ((column: number, place: number) => string | null) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Who gives how much of one measure to the inner cells, entry by entry. Records without a value, and amounts of 0, are left out.
 */
export interface AmountContributions {
  /** Amounts are whole units of 10^-decimals. */
  readonly decimals: number;
  /** [entries] inner cell, ascending. */
  readonly inner: Int32Array;
  /** [entries] amount of each contributor of the entry, in units. */
  readonly amount: Float64Array;
  /** [entries] how many contributors gave that amount each; 1 where `contributor` tells whose it is. */
  readonly times: Float64Array;
  /** [entries] whose it is, 0 .. contributors - 1; absent when every record is a contributor of its own. */
  readonly contributor?: Int32Array | undefined;
  readonly contributors: number;
  /** [entries] sum of the record keys, modulo the number of keys; read where `contributorKey` is absent. */
  readonly key: Float64Array;
  /** [contributors] key of each contributor, which enters a cell once, however many records there are. */
  readonly contributorKey?: Float64Array | undefined;
}

/** Published numbers as they were read back, by the places of the system; nothing of the original is left in it. */
export interface PublishedCounts {
  readonly columns: TableSystem["columns"];
  /** Published cells of all tables, each once. */
  readonly cells: number;
  /** [columns][cells] place of the cell, 0 being the total. */
  readonly places: readonly Int32Array[];
  /** [cells] published number. */
  readonly values: Float64Array;
}

/** Words for the public, and what a reader may compute with. */
export interface PerturbationDescription {
  /** How people are protected and how to read the numbers; paragraphs. */
  readonly methods: readonly string[];
  /** Meaning of the count column, one sentence. */
  readonly countMeaning: string;
  /** Type of the published number. */
  readonly countType: "integer" | "number" | "string";
}

/** A method that publishes every cell with a changed count. `Options` is the output of its schema. */
export interface PerturbationMethod<Options> {
  readonly method: string;
  readonly needsRecordKeys: boolean;
  /** Whether it needs the agency's secret key for noise that repeats. */
  needsKey(options: Options): boolean;
  /** [cells] published numbers; the same input gives the same numbers but for random bits. */
  perturb(input: PerturbationInput, options: Options): Promise<Float64Array>;
  /**
   * [cells] published sums of a measure in whole units, for a method that changes sums; absent where it does not. The same
   * contributors with the same amounts give the same sum in every table.
   */
  perturbSums?(input: Pick<PerturbationInput, "system" | "signal">, contributions: AmountContributions, options: Options): Float64Array;
  /** Bias, variance and largest change that the options lead to, where there is a law; for those who answer for the release. */
  statistics?(options: Options): unknown;
  /** What is wrong with published numbers, judged without the original: sentences, empty when all holds. */
  check(published: PublishedCounts, options: Options): readonly string[];
  describe(options: Options): PerturbationDescription;
  /** Text of a published number, for methods that publish ranges such as "<15"; plain numbers when absent. */
  format?(value: number, options: Options): string;
}
