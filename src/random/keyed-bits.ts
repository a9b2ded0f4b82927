import { PolicyError } from "../errors/index.ts";
import { DIGEST_WORDS, hmacSha256, type Hmac } from "./hmac-sha256.ts";
import type { RandomBits } from "./random-bits.ts";

/** Shortest key, in bytes: 128 bits, so that trying keys is out of reach. */
export const SHORTEST_KEY_BYTES = 16;

const STREAM = "commensurate/keyed-bits/1\0";
const RECORD = "commensurate/record-key/1\0";

/**
 * Bits that depend on the agency's key and the label alone: the same label gives the same stream, on every platform and
 * however the requests are cut. To whoever lacks the key they are as good as random, and streams of different labels have
 * nothing to do with one another.
 *
 * Block n is HMAC-SHA-256(k, n as 8 bytes, big-endian) with k = HMAC-SHA-256(key, domain and label): a pseudorandom
 * function in counter mode (NIST SP 800-108). 8 words a block.
 *
 * @param key at least 16 bytes, from a file or the environment, never from the policy; kept as long as the result
 * @throws PolicyError `random/weak-key` when the key is shorter than 128 bits
 */
export function keyedBits(key: Uint8Array, label: string): RandomBits {
  const stream = hmacSha256(strongEnough(key).bytes(new TextEncoder().encode(STREAM + label)));
  const counter = new DataView(new ArrayBuffer(8));
  const message = new Uint8Array(counter.buffer);
  const block = new Uint32Array(DIGEST_WORDS);
  let next = 0n;
  let used = DIGEST_WORDS;
  return {
    secure: true,
    fill(words) {
      for (let i = 0; i < words.length; i++) {
        if (used === DIGEST_WORDS) {
          counter.setBigUint64(0, next++);
          stream.words(message, block);
          used = 0;
        }
        words[i] = block[used]!;
        block[used++] = 0;
      }
    },
  };
}

/**
 * A function from texts to whole numbers 0 .. modulus - 1: the same text always gives the same number, and without the key
 * nothing tells which. Exactly uniform, by rejection on the words of HMAC-SHA-256(k, text).
 *
 * @param modulus 2 .. 2^32
 * @throws PolicyError `random/weak-key`; RangeError when the modulus is out of range
 * About two compressions a text of up to 55 bytes in UTF-8.
 */
export function keyedIntegers(key: Uint8Array, modulus: number): (text: string) => number {
  if (!Number.isInteger(modulus) || modulus < 2 || modulus > 2 ** 32) {
    throw new RangeError("The modulus of keyed integers must be a whole number from 2 to 2^32.");
  }
  const encoder = new TextEncoder();
  // The modulus is part of the domain, so that keys on two scales are not a coarse and a fine reading of the same bits.
  const hmac = hmacSha256(strongEnough(key).bytes(encoder.encode(`${RECORD}${modulus}`)));
  const shift = Math.clz32(modulus - 1);
  const words = new Uint32Array(DIGEST_WORDS);
  return (text) => {
    const message = encoder.encode(text);
    hmac.words(message, words);
    for (let round = 1; ; round++) {
      for (let i = 0; i < DIGEST_WORDS; i++) {
        const value = words[i]! >>> shift;
        if (value < modulus) return value;
      }
      // Each word fails with probability below 1/2, so this is one text in 256 at worst: on with the digest and the round.
      const again = new Uint8Array(4 * DIGEST_WORDS + 1);
      again.set(hmac.bytes(message));
      again[again.length - 1] = round;
      hmac.words(again, words);
    }
  };
}

function strongEnough(key: Uint8Array): Hmac {
  if (key.length < SHORTEST_KEY_BYTES) {
    throw new PolicyError(
      "random/weak-key",
      `The secret key has ${key.length * 8} bits; at least ${SHORTEST_KEY_BYTES * 8} are needed. ` +
        "Make one with a cryptographic generator, for example: openssl rand -hex 32.",
      { bits: key.length * 8 },
    );
  }
  return hmacSha256(key);
}
