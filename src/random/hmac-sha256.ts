import { sha256Block, sha256Start } from "../kernels/sha256.ts";

/**
 * SHA-256 (FIPS 180-4) of whole messages and HMAC (RFC 2104) in plain TypeScript: synchronous, and the same in browsers and in
 * Node. Meant for many short messages under one key; files are hashed in src/node.
 */

const BLOCK_BYTES = 64;
export const DIGEST_WORDS = 8;

/** Folds the message into the state and closes it; `before` bytes (whole blocks) were folded already. `last` is scratch of 128 bytes. */
function finish(state: Int32Array, message: Uint8Array, before: number, last: Uint8Array): void {
  const whole = message.length - (message.length % BLOCK_BYTES);
  for (let at = 0; at < whole; at += BLOCK_BYTES) sha256Block(state, message, at);
  const rest = message.length - whole;
  const padded = rest < 56 ? 64 : 128;
  last.fill(0);
  last.set(message.subarray(whole));
  last[rest] = 0x80;
  let bits = (before + message.length) * 8;
  for (let at = padded - 1; bits > 0; at--) {
    last[at] = bits % 256;
    bits = Math.floor(bits / 256);
  }
  for (let at = 0; at < padded; at += BLOCK_BYTES) sha256Block(state, last, at);
}

function toBytes(words: Int32Array, bytes: Uint8Array): Uint8Array {
  for (let i = 0; i < DIGEST_WORDS; i++) {
    bytes[4 * i] = words[i]! >>> 24;
    bytes[4 * i + 1] = words[i]! >>> 16;
    bytes[4 * i + 2] = words[i]! >>> 8;
    bytes[4 * i + 3] = words[i]!;
  }
  return bytes;
}

/** SHA-256 of a message, 32 bytes. Time O(bytes). */
export function sha256(message: Uint8Array): Uint8Array {
  const state = sha256Start();
  finish(state, message, 0, new Uint8Array(2 * BLOCK_BYTES));
  return toBytes(state, new Uint8Array(32));
}

/** A key made ready: both padded key blocks are folded in, so a message of up to 55 bytes costs two compressions. */
export interface Hmac {
  /** HMAC-SHA-256 of the message into 8 words, most significant first. Allocates nothing. */
  words(message: Uint8Array, out: Uint32Array): void;
  /** The same as 32 bytes. */
  bytes(message: Uint8Array): Uint8Array;
}

/** HMAC-SHA-256 under a key of any length (RFC 2104; longer keys than 64 bytes are hashed first). */
export function hmacSha256(key: Uint8Array): Hmac {
  const block = new Uint8Array(BLOCK_BYTES);
  block.set(key.length > BLOCK_BYTES ? sha256(key) : key);
  const keyed = (pad: number): Int32Array => {
    const state = sha256Start();
    sha256Block(state, block.map((byte) => byte ^ pad), 0);
    return state;
  };
  const inner = keyed(0x36);
  const outer = keyed(0x5c);
  block.fill(0);
  const state = new Int32Array(DIGEST_WORDS);
  const digest = new Uint8Array(32);
  const last = new Uint8Array(2 * BLOCK_BYTES);
  const run = (message: Uint8Array): void => {
    state.set(inner);
    finish(state, message, BLOCK_BYTES, last);
    toBytes(state, digest);
    state.set(outer);
    finish(state, digest, BLOCK_BYTES, last);
  };
  return {
    words(message, out) {
      run(message);
      for (let i = 0; i < DIGEST_WORDS; i++) out[i] = state[i]!;
    },
    bytes(message) {
      run(message);
      return toBytes(state, new Uint8Array(32));
    },
  };
}
