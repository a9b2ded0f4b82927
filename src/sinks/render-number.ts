/** Longest text that `NumberRenderer` writes for one number, in bytes. */
export const MAX_NUMBER_BYTES = 25;

const CACHE_ENTRIES = 2048;
const SCALES = [1, 10, 100, 1e3, 1e4, 1e5, 1e6];

/**
 * Writes numbers as ASCII decimal text: whole numbers below 2^53 as digits, others in the shortest form that reads back as
 * the same double (the text of ECMA-262 Number::toString). -0 becomes 0. Texts of fractions are cached, since released
 * measures repeat; the cache is direct-mapped and holds 2,048 numbers.
 */
export class NumberRenderer {
  readonly #keys = new Float64Array(CACHE_ENTRIES).fill(Number.NaN);
  readonly #texts = new Uint8Array(CACHE_ENTRIES * MAX_NUMBER_BYTES);
  readonly #lengths = new Uint8Array(CACHE_ENTRIES);
  readonly #double = new Float64Array(1);
  readonly #words = new Uint32Array(this.#double.buffer);

  /** Write a finite number at `at`; returns the position after it. `out` must have MAX_NUMBER_BYTES left. */
  render(value: number, out: Uint8Array, at: number): number {
    if (Number.isSafeInteger(value)) return renderInteger(value, out, at);
    // Amounts such as 12.34: when 1234 / 100 is the double itself, then "12.34" is its only text of at most 15 digits.
    const size = Math.abs(value);
    if (size >= 1e-6 && size < 1e9) {
      for (let places = 2; places <= 6; places += 2) {
        const scale = SCALES[places]!;
        const scaled = Math.round(size * scale);
        if (scaled / scale === size) return renderDecimal(value < 0, scaled, places, out, at);
      }
    }

    this.#double[0] = value;
    const hash = Math.imul(this.#words[0]! ^ Math.imul(this.#words[1]!, 0x9e3779b1), 0x85ebca6b);
    const entry = (hash ^ (hash >>> 15)) & (CACHE_ENTRIES - 1);
    const from = entry * MAX_NUMBER_BYTES;
    if (this.#keys[entry] !== value) {
      const text = String(value);
      for (let i = 0; i < text.length; i++) this.#texts[from + i] = text.charCodeAt(i);
      this.#lengths[entry] = text.length;
      this.#keys[entry] = value;
    }
    const length = this.#lengths[entry]!;
    for (let i = 0; i < length; i++) out[at + i] = this.#texts[from + i]!;
    return at + length;
  }
}

/** Write scaled / 10^places, which is no whole number, without trailing zeros; scaled < 10^15. */
function renderDecimal(negative: boolean, scaled: number, places: number, out: Uint8Array, at: number): number {
  if (negative) out[at++] = 0x2d;
  const scale = SCALES[places]!;
  const whole = Math.floor(scaled / scale);
  at = renderInteger(whole, out, at);
  out[at++] = 0x2e;
  let rest = scaled - whole * scale;
  let end = at + places;
  for (let place = end - 1; place >= at; place--) {
    const tenth = (rest / 10) | 0;
    out[place] = 0x30 + rest - tenth * 10;
    rest = tenth;
  }
  while (out[end - 1] === 0x30) end--;
  return end;
}

/** Write a whole number, at most 2^53 - 1 in size. */
function renderInteger(value: number, out: Uint8Array, at: number): number {
  let rest = value;
  if (rest < 0) {
    out[at++] = 0x2d;
    rest = -rest;
  }
  // Above 2^31 split once, so that the digit loops run on small integers.
  if (rest >= 1e9) {
    const high = Math.floor(rest / 1e9);
    at = renderDigits(high, out, at);
    let low = rest - high * 1e9;
    for (let place = at + 8; place >= at; place--) {
      const tenth = (low / 10) | 0;
      out[place] = 0x30 + low - tenth * 10;
      low = tenth;
    }
    return at + 9;
  }
  return renderDigits(rest, out, at);
}

/** Write the digits of 0 <= value < 10^9 without leading zeros. */
function renderDigits(value: number, out: Uint8Array, at: number): number {
  let digits = 1;
  for (let bound = 10; bound <= value; bound *= 10) digits++;
  let rest = value | 0;
  for (let place = at + digits - 1; place >= at; place--) {
    const tenth = (rest / 10) | 0;
    out[place] = 0x30 + rest - tenth * 10;
    rest = tenth;
  }
  return at + digits;
}
