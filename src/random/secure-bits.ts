import { InternalError } from "../errors/index.ts";
import type { RandomBits } from "./random-bits.ts";

/** getRandomValues refuses more than 65,536 bytes a call (Web Crypto specification, section 10.1.1). */
const WORDS_PER_CALL = 65_536 / Uint32Array.BYTES_PER_ELEMENT;
const BUFFERED_WORDS = 1024;

/**
 * Random bits from the platform's cryptographic generator: the only source for anything released.
 * Small requests are served from a buffer of 4 KB; words are zeroed there once given out.
 *
 * @throws InternalError `random/no-secure-source` where the platform has no Web Crypto
 */
export function secureBits(): RandomBits {
  const crypto = globalThis.crypto as Crypto | undefined;
  if (typeof crypto?.getRandomValues !== "function") {
    throw new InternalError(
      "random/no-secure-source",
      "This platform has no globalThis.crypto.getRandomValues, and no weaker generator is used in its place. " +
        "Run on Node 20 or later, or in a current browser.",
    );
  }
  const buffer = new Uint32Array(BUFFERED_WORDS);
  let used = BUFFERED_WORDS;

  function fill(words: Uint32Array): void {
    if (words.length <= BUFFERED_WORDS >> 2) {
      if (used + words.length > BUFFERED_WORDS) {
        crypto!.getRandomValues(buffer);
        used = 0;
      }
      words.set(buffer.subarray(used, used + words.length));
      buffer.fill(0, used, used + words.length);
      used += words.length;
      return;
    }
    for (let from = 0; from < words.length; from += WORDS_PER_CALL) {
      crypto!.getRandomValues(words.subarray(from, from + WORDS_PER_CALL) as Uint32Array<ArrayBuffer>);
    }
  }
  return { secure: true, fill };
}
