import type { RandomBits } from "./random-bits.ts";

/** Exactly uniform integers: what the samplers are written in. */
export interface UniformInts {
  /**
   * Uniform on 0 .. n - 1. n is an integer, 1 <= n <= 2^53. Not checked again here: samplers check when they are made.
   */
  below(n: number): number;
  /** Uniform on 0 .. n - 1, n >= 1. */
  belowBig(n: bigint): bigint;
  /** True with probability numerator / denominator; integers, 0 <= numerator <= denominator <= 2^53. */
  chance(numerator: number, denominator: number): boolean;
  /** As `chance`, without bound on the integers. */
  chanceBig(numerator: bigint, denominator: bigint): boolean;
}

const LARGEST_NUMBER = 2n ** 53n;
const DEFAULT_BUFFER_WORDS = 256;

/**
 * Uniform integers from random bits, by rejection: take as many leading bits as n - 1 has, and again while the result is
 * not below n. No remainder is ever taken, so there is no bias; fewer than two rounds on average. A whole word is spent
 * on even one bit: words are cheap, a bit reservoir costs more than it saves.
 *
 * Words are fetched ahead (`bufferWords` at a time) and zeroed as they are used. Time depends on the values drawn.
 */
export function uniformInts(bits: RandomBits, bufferWords = DEFAULT_BUFFER_WORDS): UniformInts {
  return new BufferedInts(bits, bufferWords);
}

class BufferedInts implements UniformInts {
  readonly #bits: RandomBits;
  readonly #buffer: Uint32Array;
  #used: number;
  /** Shape of the last big bound: it seldom changes from draw to draw. */
  #bigBound = 0n;
  #bigWords = 0;
  #bigShift = 0;

  constructor(bits: RandomBits, bufferWords: number) {
    this.#bits = bits;
    this.#buffer = new Uint32Array(bufferWords);
    this.#used = bufferWords;
  }

  #word(): number {
    const buffer = this.#buffer;
    if (this.#used === buffer.length) {
      this.#bits.fill(buffer);
      this.#used = 0;
    }
    const word = buffer[this.#used]!;
    buffer[this.#used++] = 0;
    return word;
  }

  below(n: number): number {
    if (n <= 4_294_967_296) {
      if (n === 1) return 0;
      const shift = Math.clz32(n - 1);
      for (;;) {
        const value = this.#word() >>> shift;
        if (value < n) return value;
      }
    }
    const shift = Math.clz32(Math.floor((n - 1) / 4_294_967_296));
    for (;;) {
      const high = this.#word() >>> shift;
      const value = high * 4_294_967_296 + this.#word();
      if (value < n) return value;
    }
  }

  belowBig(n: bigint): bigint {
    if (n <= LARGEST_NUMBER) return BigInt(this.below(Number(n)));
    if (n !== this.#bigBound) {
      const length = (n - 1n).toString(2).length;
      this.#bigBound = n;
      this.#bigWords = Math.ceil(length / 32);
      this.#bigShift = this.#bigWords * 32 - length;
    }
    for (;;) {
      let value = BigInt(this.#word() >>> this.#bigShift);
      for (let i = 1; i < this.#bigWords; i++) value = (value << 32n) | BigInt(this.#word());
      if (value < n) return value;
    }
  }

  chance(numerator: number, denominator: number): boolean {
    return this.below(denominator) < numerator;
  }

  chanceBig(numerator: bigint, denominator: bigint): boolean {
    return this.belowBig(denominator) < numerator;
  }
}
