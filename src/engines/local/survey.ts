import { foldToStore, foldWithDictionaries, hasNulls, rollUp, type Cells } from "../../cells/index.ts";
import { joinDictionaries, nullRefused, recodeDictionary, type Dictionary, type Recoding } from "../../columns/index.ts";
import type { ColumnRequest, Source } from "../../sources/source.ts";
import type { LaneStorage } from "./rewrite-lane.ts";

/** What the first reading must bring back. */
export interface SurveySpec {
  readonly keys: readonly SurveyKeyRequest[];
  readonly measures: readonly { readonly name: string; readonly nulls: readonly string[] }[];
  readonly weight?: string | undefined;
  readonly frequency?: string | undefined;
  /** Columns that the second reading will ask for after the keys; records that fit into memory are kept for it. */
  readonly secondReading?: readonly ColumnRequest[] | undefined;
}

export interface SurveyKeyRequest {
  readonly name: string;
  readonly recoding: Recoding;
}

export interface SurveyedKey {
  readonly name: string;
  /** Values as the source has them. */
  readonly raw: Dictionary;
  /** Values after null texts and normalisation; the cells' codes refer to it. */
  readonly dictionary: Dictionary;
  /** [raw codes] code in `dictionary`, -1 for null. */
  readonly map: Int32Array;
  /** Spelling variants that normalisation made one. */
  readonly mergedVariants: number;
}

/** The first reading: everything that decides needs no more than this. */
export interface Survey {
  readonly cells: Cells;
  readonly keys: readonly SurveyedKey[];
  /** Rows read, whatever their frequency. */
  readonly rows: number;
  readonly fingerprint: string;
}

export interface ReadOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

/** Columns to request of a pass for a survey: keys, measures, then weight and frequency. */
export function surveyColumns(spec: SurveySpec): ColumnRequest[] {
  return [
    ...spec.keys.map(({ name }): ColumnRequest => ({ name, as: "codes" })),
    ...spec.measures.map(({ name, nulls }): ColumnRequest => ({ name, as: "numbers", nulls })),
    ...[spec.weight, spec.frequency].flatMap((name): ColumnRequest[] => (name === undefined ? [] : [{ name, as: "numbers" }])),
  ];
}

export function surveyFold(spec: SurveySpec): Parameters<typeof foldWithDictionaries>[1] {
  const afterKeys = spec.keys.length;
  const afterMeasures = afterKeys + spec.measures.length;
  return {
    keys: spec.keys.map(({ name }, column) => ({ name, column })),
    measures: spec.measures.map(({ name }, measure) => ({ name, column: afterKeys + measure })),
    ...(spec.weight === undefined ? {} : { weight: afterMeasures }),
    ...(spec.frequency === undefined ? {} : { frequency: afterMeasures + (spec.weight === undefined ? 0 : 1) }),
  };
}

/**
 * Read a source once, in this thread, and fold it into cells, which spill while they are folded if they outgrow the budget.
 * @throws DataError `cells/over-budget` when they do not fit into the budget in the end, once null texts and spelling variants
 *         have been joined: the plan needs them in memory.
 */
export async function surveyInThisThread(
  source: Source, spec: SurveySpec, options: ReadOptions = {}, storage?: LaneStorage,
): Promise<Survey> {
  const pass = await source.open({ columns: surveyColumns(spec), ...options });
  if (storage === undefined) {
    const folded = await foldWithDictionaries(pass.batches, surveyFold(spec));
    return finishSurvey(spec, { ...folded, dictionaries: folded.dictionaries.map((dictionary) => dictionary ?? EMPTY) }, pass.fingerprint());
  }
  const { store, dictionaries, rows } = await foldToStore(pass.batches, surveyFold(spec), storage);
  try {
    const { keys, maps } = joinKeys(spec, [dictionaries.map((dictionary) => dictionary ?? EMPTY)]);
    const cells = await store.rollUp(keys.map(({ dictionary }, key) => ({ map: maps[0]![key]!, size: dictionary.size })));
    checkNulls(spec, cells);
    return { cells, keys, rows, fingerprint: pass.fingerprint() };
  } finally {
    await store.close();
  }
}

const EMPTY: Dictionary = { size: 0, offsets: new Uint32Array(1), bytes: new Uint8Array(0) };

/** What one lane folded; codes refer to its own dictionaries. */
export interface SurveyPart {
  readonly cells: Cells;
  /** [keys] */
  readonly dictionaries: readonly Dictionary[];
  readonly rows: number;
}

/**
 * Join the dictionaries of all lanes, and give null texts and normalisation their meaning.
 * @param dictionaries [lanes][keys]
 * @returns maps [lanes][keys] from a lane's code to the final one
 * @throws DataError when a value is not of its declared type
 */
export function joinKeys(
  spec: SurveySpec, dictionaries: readonly (readonly Dictionary[])[],
): { readonly keys: readonly SurveyedKey[]; readonly maps: readonly (readonly Int32Array[])[] } {
  const keys: SurveyedKey[] = [];
  const maps: Int32Array[][] = dictionaries.map(() => []);
  spec.keys.forEach(({ name, recoding }, key) => {
    const { joined, maps: joinMaps } = joinDictionaries(dictionaries.map((own) => own[key]!));
    const recoded = recodeDictionary(joined, recoding, name);
    keys.push({ name, raw: joined, ...recoded });
    joinMaps.forEach((map, part) => maps[part]!.push(map === undefined ? recoded.map : map.map((code) => recoded.map[code]!)));
  });
  return { keys, maps };
}

/** @throws DataError `column/null-refused` when a key has nulls that the policy refuses. */
export function checkNulls(spec: SurveySpec, cells: Cells): void {
  spec.keys.forEach(({ name, recoding }, key) => {
    if (recoding.nullMeaning === "refuse" && hasNulls(cells, key)) throw nullRefused(name);
  });
}

/** The survey of one lane that read everything. */
export function finishSurvey(spec: SurveySpec, part: SurveyPart, fingerprint: string): Survey {
  const { keys, maps } = joinKeys(spec, [part.dictionaries]);
  const isFinal = maps[0]!.every((map, key) => part.cells.sizes[key] === keys[key]!.dictionary.size && map.every((to, code) => to === code));
  const cells = isFinal ? part.cells : rollUp(part.cells, maps[0]!.map((map, key) => ({ map, size: keys[key]!.dictionary.size })));
  checkNulls(spec, cells);
  return { cells, keys, rows: part.rows, fingerprint };
}
