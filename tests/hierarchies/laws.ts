import { expect } from "vitest";
import { compareValues, DictionaryBuilder, dictionaryTexts, type Dictionary } from "../../src/columns/index.ts";
import type { BoundHierarchy, Hierarchy } from "../../src/hierarchies/index.ts";

export function dictionaryOf(values: Iterable<string>): Dictionary {
  return DictionaryBuilder.from(values).freeze();
}

/** What each value becomes at each level: value -> [level 0, level 1, ...]. */
export function becomes(hierarchy: Hierarchy, values: readonly string[]): Record<string, string[]> {
  const dictionary = dictionaryOf(values);
  const bound = hierarchy.bind(dictionary, "column");
  const texts = bound.levels.map((level) => dictionaryTexts(level.dictionary));
  return Object.fromEntries(values.map((value) => {
    const code = DictionaryBuilder.from(values).findText(value);
    return [value, bound.levels.map((level, l) => texts[l]![level.map[code]!]!)];
  }));
}

/** Share of each text of a level. */
export function sharesOf(bound: BoundHierarchy, level: number): Record<string, number> {
  const { dictionary, share } = bound.levels[level]!;
  return Object.fromEntries(dictionaryTexts(dictionary).map((text, code) => [text, share[code]!]));
}

/** What every bound hierarchy promises. */
export function expectSoundHierarchy(hierarchy: Hierarchy, values: readonly string[]): BoundHierarchy {
  const dictionary = dictionaryOf(values);
  const bound = hierarchy.bind(dictionary, "column");
  expect(bound.column).toBe("column");
  expect(bound.levels.length).toBe(hierarchy.levels);
  expect(hierarchy.levelNames.length).toBe(hierarchy.levels);
  expect(bound.levels[0]!.map).toEqual(Int32Array.from({ length: dictionary.size }, (_, code) => code));
  expect(bound.levels[0]!.dictionary).toBe(dictionary);

  bound.levels.forEach((level, l) => {
    expect(level.map.length).toBe(dictionary.size);
    expect(level.share.length).toBe(level.dictionary.size);
    expect(new Set(level.map)).toEqual(new Set(Array.from({ length: level.dictionary.size }, (_, code) => code)));
    for (const share of level.share) {
      expect(share).toBeGreaterThan(0);
      expect(share).toBeLessThanOrEqual(1);
    }
    expect(level.share.reduce((sum, share) => sum + share, 0)).toBeLessThanOrEqual(1 + 1e-9);
    for (let code = 1; l > 0 && code < level.dictionary.size; code++) {
      expect(compareValues(level.dictionary, code - 1, code)).toBeLessThan(0);
    }
    const finer = bound.levels[l - 1];
    if (finer === undefined) return;
    const parent = new Map<number, number>();
    for (let code = 0; code < dictionary.size; code++) {
      const group = finer.map[code]!;
      if (!parent.has(group)) parent.set(group, level.map[code]!);
      expect(parent.get(group)).toBe(level.map[code]);
      expect(level.share[level.map[code]!]).toBeGreaterThanOrEqual(finer.share[group]!);
    }
  });
  return bound;
}
