export type { Batch, CodeColumn, Column, NumberColumn } from "./batch.ts";
export { byteOrderRanks, compareValues, dictionaryText, dictionaryTexts, DictionaryBuilder, joinDictionaries, type Dictionary } from "./dictionary.ts";
export { nullRefused, recodeDictionary, type Normalisation, type RecodedDictionary, type Recoding } from "./recode.ts";
