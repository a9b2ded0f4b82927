import { InternalError } from "../../errors/index.ts";
import type { AmountContributions } from "../perturbation/method.ts";
import type { TableSystem } from "../tabulate/index.ts";
import { magnitudeNoise, type MagnitudeRule } from "./magnitude.ts";

export interface SumsRule {
  readonly rule: MagnitudeRule;
  readonly keys: number;
  /** p of the p% rule by which cells count as sensitive; absent when none do. */
  readonly pPercent?: number | undefined;
}

/**
 * Published sums: each cell's sum plus noise by its largest contributors and its key, rounded to whole units.
 *
 * A contributor's amount is what it gives to the cell in all. The key of a sum is the sum of the keys of those whose amount is
 * not 0: who gives nothing changes neither sum nor noise, so that no table that leaves them out draws a second time. (The
 * default of the cellKey package as well, `use_zero_rkeys = FALSE`.)
 *
 * @returns [cells] whole units; the same contributors with the same amounts give the same sum in every table
 * Time O(sum over cells of their entries), memory O(entries + contributors).
 */
export function perturbSums(
  { system, signal }: { readonly system: Pick<TableSystem, "cells" | "inner" | "starts" | "rows" | "signs">; readonly signal?: AbortSignal | undefined },
  given: AmountContributions, { rule, keys, pPercent }: SumsRule,
): Float64Array {
  const { inner, amount, times, contributor, key, contributorKey } = given;
  if (inner.some((own, e) => own < 0 || own >= system.inner || (e > 0 && own < inner[e - 1]!))) {
    throw new InternalError("cell-key/entries", "Contributions are not in the order of the inner cells.");
  }
  const first = new Int32Array(system.inner + 1);
  for (const own of inner) first[own + 1]!++;
  for (let i = 0; i < system.inner; i++) first[i + 1]! += first[i]!;
  const noiseOf = magnitudeNoise(rule);
  const scale = 10 ** given.decimals;
  // Two at least: the p% rule asks for the two largest.
  const kept = Math.max(2, rule.epsilon.length);

  const sumOf = new Float64Array(contributor === undefined ? 0 : given.contributors);
  const keyOf = new Float64Array(sumOf.length);
  const seenIn = new Int32Array(sumOf.length).fill(-1);
  const seen: number[] = [];
  const largest: number[] = [];
  const result = new Float64Array(system.cells);
  for (let c = 0; c < system.cells; c++) {
    if ((c & 1023) === 0) signal?.throwIfAborted();
    let value = 0;
    let size = 0;
    let contributors = 0;
    let cellKey = 0;
    largest.length = 0;
    const put = (own: number, n: number): void => {
      value += own * n;
      contributors += n;
      const absolute = Math.abs(own);
      size += absolute * n;
      for (let i = 0; i < n && i < kept; i++) {
        if (largest.length === kept && absolute <= Math.abs(largest[kept - 1]!)) break;
        let at = largest.length < kept ? largest.push(own) - 1 : kept - 1;
        while (at > 0 && Math.abs(largest[at - 1]!) < absolute) {
          largest[at] = largest[at - 1]!;
          at--;
        }
        largest[at] = own;
      }
    };
    seen.length = 0;
    for (let at = system.starts[c]!; at < system.starts[c + 1]!; at++) {
      const sign = system.signs === undefined ? 1 : system.signs[at]!;
      for (let e = first[system.rows[at]!]!; e < first[system.rows[at]! + 1]!; e++) {
        const ownKey = sign > 0 ? key[e]! : (keys - key[e]!) % keys;
        if (contributor === undefined) {
          put(sign * amount[e]!, times[e]!);
          cellKey = (cellKey + ownKey) % keys;
          continue;
        }
        const who = contributor[e]!;
        if (seenIn[who] !== c) {
          seenIn[who] = c;
          seen.push(who);
          sumOf[who] = 0;
          keyOf[who] = 0;
        }
        sumOf[who]! += sign * amount[e]!;
        keyOf[who] = (keyOf[who]! + ownKey) % keys;
      }
    }
    for (const who of seen) {
      if (sumOf[who] === 0) continue;
      put(sumOf[who]!, 1);
      cellKey = (cellKey + (contributorKey === undefined ? keyOf[who]! : contributorKey[who]!)) % keys;
    }
    const top = Math.abs(largest[0] ?? 0);
    const sensitive = pPercent !== undefined && 100 * (size - top - Math.abs(largest[1] ?? 0)) < pPercent * top;
    const noise = noiseOf({ value: value / scale, largest: largest.map((own) => own / scale), contributors, key: cellKey, sensitive });
    result[c] = value + Math.round(noise * scale) + 0;
  }
  return result;
}
