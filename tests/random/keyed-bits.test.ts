import { createHash, createHmac } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PolicyError } from "../../src/errors/index.ts";
import { hmacSha256, sha256 } from "../../src/random/hmac-sha256.ts";
import { keyedBits, keyedIntegers } from "../../src/random/keyed-bits.ts";
import { rejects, tally } from "./chi-square.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const hex = (data: Uint8Array) => Buffer.from(data).toString("hex");
const KEY = Uint8Array.from({ length: 32 }, (_, i) => i);

function words(bits: { fill(words: Uint32Array): void }, length: number): Uint32Array {
  const out = new Uint32Array(length);
  bits.fill(out);
  return out;
}

describe("SHA-256", () => {
  // FIPS 180-4 examples (NIST, "SHA256.pdf" and the long message test of a million a).
  test.each([
    ["", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
    ["abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
    [
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
    ],
    ["a".repeat(1_000_000), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"],
  ])("FIPS 180-4 example %#", (message, digest) => {
    expect(hex(sha256(bytes(message)))).toBe(digest);
  });

  test("agrees with the platform's for every length around the block", () => {
    for (let length = 0; length < 200; length++) {
      const message = Uint8Array.from({ length }, (_, i) => (i * 7 + length) & 255);
      expect(hex(sha256(message))).toBe(createHash("sha256").update(message).digest("hex"));
    }
  });
});

/** RFC 4231, section 4, test cases 1 to 4, 6 and 7 (5 is the truncated one): key, data, HMAC-SHA-256. */
const RFC_4231: readonly (readonly [Uint8Array, Uint8Array, string])[] = [
  [new Uint8Array(20).fill(0x0b), bytes("Hi There"), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"],
  [bytes("Jefe"), bytes("what do ya want for nothing?"), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"],
  [new Uint8Array(20).fill(0xaa), new Uint8Array(50).fill(0xdd), "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"],
  [
    Uint8Array.from({ length: 25 }, (_, i) => i + 1),
    new Uint8Array(50).fill(0xcd),
    "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
  ],
  [
    new Uint8Array(131).fill(0xaa),
    bytes("Test Using Larger Than Block-Size Key - Hash Key First"),
    "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
  ],
  [
    new Uint8Array(131).fill(0xaa),
    bytes(
      "This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed " +
        "before being used by the HMAC algorithm.",
    ),
    "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
  ],
];

describe("HMAC-SHA-256", () => {
  test.each(RFC_4231)("RFC 4231 case %#", (key, data, digest) => {
    expect(hex(hmacSha256(key).bytes(data))).toBe(digest);
    const out = new Uint32Array(8);
    hmacSha256(key).words(data, out);
    expect([...out].map((word) => word.toString(16).padStart(8, "0")).join("")).toBe(digest);
  });

  test("agrees with the platform's for keys and messages of all lengths, one key used many times", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 5 }), (key, messages) => {
        const hmac = hmacSha256(key);
        for (const message of messages) {
          expect(hex(hmac.bytes(message))).toBe(createHmac("sha256", key).update(message).digest("hex"));
        }
      }),
      { seed: 1, numRuns: 300 },
    );
  });
});

describe("keyed bits", () => {
  test("are HMAC in counter mode under a key of the label, whatever the platform", () => {
    const derived = createHmac("sha256", KEY).update("commensurate/keyed-bits/1\0county|2026").digest();
    const block = (n: number) => createHmac("sha256", derived).update(Buffer.from([0, 0, 0, 0, 0, 0, 0, n])).digest();
    const expected = Buffer.concat([block(0), block(1), block(2)]);
    const own = words(keyedBits(KEY, "county|2026"), 24);
    expect([...own].map((word) => word.toString(16).padStart(8, "0")).join("")).toBe(expected.toString("hex"));
  });

  test("say that they are secure, repeat for key and label, and differ with either", () => {
    expect(keyedBits(KEY, "a").secure).toBe(true);
    expect(words(keyedBits(KEY, "a"), 100)).toEqual(words(keyedBits(KEY.slice(), "a"), 100));
    expect(words(keyedBits(KEY, "a"), 100)).not.toEqual(words(keyedBits(KEY, "b"), 100));
    expect(words(keyedBits(KEY, "a"), 100)).not.toEqual(words(keyedBits(new Uint8Array(32), "a"), 100));
  });

  test("are the same however the requests are cut", () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 20 }), { maxLength: 10 }), (cuts) => {
        const bits = keyedBits(KEY, "cut");
        const pieces = cuts.flatMap((length) => [...words(bits, length)]);
        expect(pieces).toEqual([...words(keyedBits(KEY, "cut"), pieces.length)]);
      }),
      { seed: 2 },
    );
  });

  test("two streams in turn do not disturb each other", () => {
    const [a, b] = [keyedBits(KEY, "a"), keyedBits(KEY, "b")];
    const mixed = [...words(a, 3), ...words(b, 5), ...words(a, 9)];
    expect([...mixed.slice(0, 3), ...mixed.slice(8)]).toEqual([...words(keyedBits(KEY, "a"), 12)]);
  });

  test("leading and trailing byte are uniform by chi-square", () => {
    const sample = words(keyedBits(KEY, "uniform"), 100_000);
    let at = 0;
    expect(rejects(tally(100_000, () => sample[at++]! >>> 24), () => 1 / 256, 0, 255)).toBe(false);
    at = 0;
    expect(rejects(tally(100_000, () => sample[at++]! & 255), () => 1 / 256, 0, 255)).toBe(false);
  });

  test("a key of less than 128 bits is refused, and the error does not show it", () => {
    const weak = bytes("secret-123-abcd"); // 15 bytes
    for (const make of [() => keyedBits(weak, "a"), () => keyedIntegers(weak, 256)]) {
      expect(make).toThrow(PolicyError);
      expect(make).toThrow(/^(?!.*secret-123).*120 bits/s);
    }
    expect(() => keyedBits(weak.slice(0, 0), "a")).toThrow(PolicyError);
    expect(() => keyedBits(KEY.slice(0, 16), "a")).not.toThrow();
  });
});

describe("keyed whole numbers", () => {
  test("repeat for the text, and depend on key and modulus", () => {
    const numbers = keyedIntegers(KEY, 100_000_000);
    expect(numbers("person 7")).toBe(keyedIntegers(KEY, 100_000_000)("person 7"));
    const many = (secret: Uint8Array, modulus: number) => Array.from({ length: 50 }, (_, i) => keyedIntegers(secret, modulus)(`p${i}`));
    expect(many(KEY, 256)).not.toEqual(many(new Uint8Array(16), 256));
    // No coarse reading of the same bits: leading bytes of a 2^32 key tell nothing about the key of 256.
    expect(many(KEY, 2 ** 32).filter((value, i) => value >>> 24 === many(KEY, 256)[i]).length).toBeLessThan(5);
  });

  test.each([2, 3, 129, 256, 100_000_000, 2 ** 32])("are below %i and uniform by chi-square", (modulus) => {
    const numbers = keyedIntegers(KEY, modulus);
    const bins = Math.min(modulus, 128);
    let i = 0;
    const counts = tally(20_000, () => {
      const value = numbers(`id-${i++}`);
      if (!(Number.isInteger(value) && value >= 0 && value < modulus)) throw new Error("out of range");
      return Math.floor((value * bins) / modulus);
    });
    const share = (bin: number) => (Math.ceil(((bin + 1) * modulus) / bins) - Math.ceil((bin * modulus) / bins)) / modulus;
    expect(rejects(counts, share, 0, bins - 1)).toBe(false);
  });

  test("long and empty texts, and texts beyond ASCII, have their number", () => {
    const numbers = keyedIntegers(KEY, 256);
    const distinct = new Set(["", "a", "ä", "x".repeat(1000), "日本"].map((text) => keyedIntegers(KEY, 2 ** 32)(text)));
    expect(distinct.size).toBe(5);
    expect(numbers("")).toBeLessThan(256);
  });

  test.each([0, 1, 1.5, 2 ** 32 + 1, Number.NaN])("a modulus of %d is refused", (modulus) => {
    expect(() => keyedIntegers(KEY, modulus)).toThrow(RangeError);
  });
});
