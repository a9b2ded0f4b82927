import { sha256Block, sha256Start } from "../kernels/sha256.ts";
import type { Hasher } from "./hasher.ts";

/**
 * SHA-256 in plain TypeScript, for places that have no synchronous one (browsers).
 * Source: FIPS 180-4, section 5 (padding); the compression is a kernel.
 */
export class Sha256 implements Hasher {
  readonly #state = sha256Start();
  readonly #block = new Uint8Array(64);
  #pending = 0;
  #length = 0; // bytes

  update(bytes: Uint8Array): void {
    this.#length += bytes.length;
    let at = 0;
    if (this.#pending > 0) {
      at = Math.min(64 - this.#pending, bytes.length);
      this.#block.set(bytes.subarray(0, at), this.#pending);
      this.#pending += at;
      if (this.#pending < 64) return;
      sha256Block(this.#state, this.#block, 0);
      this.#pending = 0;
    }
    for (; at + 64 <= bytes.length; at += 64) sha256Block(this.#state, bytes, at);
    this.#block.set(bytes.subarray(at), 0);
    this.#pending = bytes.length - at;
  }

  digest(): string {
    const bits = this.#length * 8;
    const block = this.#block;
    let used = this.#pending;
    block[used++] = 0x80;
    if (used > 56) {
      block.fill(0, used);
      sha256Block(this.#state, block, 0);
      used = 0;
    }
    block.fill(0, used);
    const view = new DataView(block.buffer);
    view.setUint32(56, Math.floor(bits / 0x1_0000_0000));
    view.setUint32(60, bits >>> 0);
    sha256Block(this.#state, block, 0);
    return Array.from(this.#state, (word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
  }
}
