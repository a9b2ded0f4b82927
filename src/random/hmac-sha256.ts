/**
 * SHA-256 (FIPS 180-4) and HMAC (RFC 2104) in plain TypeScript: synchronous, and the same in browsers and in Node. Meant
 * for many short messages under one key; files are hashed in src/node. Table look-ups by secrets do not occur.
 */

const ROUND_CONSTANTS = fractionalBits(64, 3);
const INITIAL = fractionalBits(8, 2);
const BLOCK_BYTES = 64;
export const DIGEST_WORDS = 8;

/** First 32 bits of the fractional parts of the square (2) or cube (3) roots of the first primes, as FIPS 180-4 defines them. */
function fractionalBits(count: number, root: 2 | 3): Int32Array {
  const words = new Int32Array(count);
  let found = 0;
  for (let n = 2; found < count; n++) {
    let isPrime = true;
    for (let d = 2; d * d <= n; d++) if (n % d === 0) isPrime = false;
    if (!isPrime) continue;
    // Integer root of n * 2^(32 root): its low 32 bits are the fraction, exactly.
    const target = BigInt(n) << BigInt(32 * root);
    let low = 0n;
    let high = 1n << 40n;
    while (high - low > 1n) {
      const middle = (low + high) >> 1n;
      if (middle ** BigInt(root) <= target) low = middle;
      else high = middle;
    }
    words[found++] = Number(BigInt.asIntN(32, low));
  }
  return words;
}

const schedule = new Int32Array(64);

/** One application of the compression function: folds 64 bytes from `at` into the state. */
function compress(state: Int32Array, bytes: Uint8Array, at: number): void {
  const w = schedule;
  for (let t = 0; t < 16; t++, at += 4) {
    w[t] = (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
  }
  for (let t = 16; t < 64; t++) {
    const x = w[t - 15]!;
    const y = w[t - 2]!;
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    w[t] = (w[t - 16]! + s0 + w[t - 7]! + s1) | 0;
  }
  let a = state[0]!;
  let b = state[1]!;
  let c = state[2]!;
  let d = state[3]!;
  let e = state[4]!;
  let f = state[5]!;
  let g = state[6]!;
  let h = state[7]!;
  for (let t = 0; t < 64; t++) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const one = (h + s1 + ((e & f) ^ (~e & g)) + ROUND_CONSTANTS[t]! + w[t]!) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const two = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + one) | 0;
    d = c;
    c = b;
    b = a;
    a = (one + two) | 0;
  }
  state[0] = (state[0]! + a) | 0;
  state[1] = (state[1]! + b) | 0;
  state[2] = (state[2]! + c) | 0;
  state[3] = (state[3]! + d) | 0;
  state[4] = (state[4]! + e) | 0;
  state[5] = (state[5]! + f) | 0;
  state[6] = (state[6]! + g) | 0;
  state[7] = (state[7]! + h) | 0;
}

/** Folds the message into the state and closes it; `before` bytes (whole blocks) were folded already. `last` is scratch of 128 bytes. */
function finish(state: Int32Array, message: Uint8Array, before: number, last: Uint8Array): void {
  const whole = message.length - (message.length % BLOCK_BYTES);
  for (let at = 0; at < whole; at += BLOCK_BYTES) compress(state, message, at);
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
  for (let at = 0; at < padded; at += BLOCK_BYTES) compress(state, last, at);
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
  const state = INITIAL.slice();
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
    const state = INITIAL.slice();
    compress(state, block.map((byte) => byte ^ pad), 0);
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
