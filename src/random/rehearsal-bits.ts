import alea from "seedrandom/lib/alea.js";

import type { RandomBits } from "./random-bits.ts";

/**
 * Repeatable bits for rehearsals, fixtures and tests. Not secret: a few outputs give the seed away, and with the seed the
 * noise can be taken off. What is made with them is a rehearsal and must not leave the house.
 *
 * Only this file knows seedrandom; it takes the Alea generator alone, whose import has no side effect.
 * The words for a seed are the same on every platform, and however the requests are cut.
 */
export function rehearsalBits(seed: string | number): RandomBits {
  const generator = alea(String(seed));
  return {
    secure: false,
    fill(words) {
      for (let i = 0; i < words.length; i++) words[i] = generator.int32();
    },
  };
}
