import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { InternalError } from "../../src/errors/index.ts";
import { secureBits, shuffle } from "../../src/random/index.ts";
import { rehearsalBits } from "../../src/random/rehearsal-bits.ts";
import { rejects, tally } from "./chi-square.ts";

afterEach(() => vi.unstubAllGlobals());

function words(bits: { fill(words: Uint32Array): void }, length: number): Uint32Array {
  const out = new Uint32Array(length);
  bits.fill(out);
  return out;
}

describe("secure bits", () => {
  test("are secure, differ from request to request and instance to instance, and never repeat across a buffer's end", () => {
    const bits = secureBits();
    expect(bits.secure).toBe(true);
    // 8-word blocks: a repeat among 2,000 of 256 bits has probability below 2^-230
    const seen = new Set<string>();
    for (let i = 0; i < 1000; i++) seen.add(words(bits, 8).join());
    const other = secureBits();
    for (let i = 0; i < 1000; i++) seen.add(words(other, 8).join());
    expect(seen.size).toBe(2000);
  });

  test.each([1, 255, 256, 257, 1024, 16_384, 16_385, 50_000])("a request of %i words is filled to its last word", (length) => {
    const bits = secureBits();
    // Twelve tries each leave an untouched word zero with probability 2^-384.
    const last = Array.from({ length: 12 }, () => words(bits, length)[length - 1]);
    expect(last.some((word) => word !== 0)).toBe(true);
  });

  test("no call asks the platform for more than 65,536 bytes, and given-out words are zeroed in the buffer", () => {
    const sizes: number[] = [];
    const buffers = new Set<Uint32Array>();
    const getRandomValues = (out: Uint32Array) => {
      sizes.push(out.byteLength);
      buffers.add(out);
      return out.fill(7);
    };
    vi.stubGlobal("crypto", { getRandomValues });
    const bits = secureBits();
    bits.fill(new Uint32Array(100_000));
    expect(Math.max(...sizes)).toBe(65_536);
    expect(sizes.reduce((sum, size) => sum + size)).toBe(400_000);
    buffers.clear();
    expect([...words(bits, 3)]).toEqual([7, 7, 7]);
    const [buffer] = buffers;
    expect([...buffer!.subarray(0, 4)]).toEqual([0, 0, 0, 7]);
  });

  test("a platform without Web Crypto is refused, not served by something weaker", () => {
    vi.stubGlobal("crypto", undefined);
    expect(() => secureBits()).toThrow(InternalError);
  });

  test("words are uniform: leading and trailing byte by chi-square", () => {
    // Not seeded: fails once in a million runs.
    const sample = words(secureBits(), 200_000);
    let at = 0;
    expect(rejects(tally(200_000, () => sample[at++]! >>> 24), () => 1 / 256, 0, 255)).toBe(false);
    at = 0;
    expect(rejects(tally(200_000, () => sample[at++]! & 255), () => 1 / 256, 0, 255)).toBe(false);
  });
});

describe("rehearsal bits", () => {
  test("say that they are not secure, repeat for a seed and differ between seeds", () => {
    expect(rehearsalBits(1).secure).toBe(false);
    expect(words(rehearsalBits(1), 100)).toEqual(words(rehearsalBits("1"), 100));
    expect(words(rehearsalBits(1), 100)).not.toEqual(words(rehearsalBits(2), 100));
  });

  test("are the same however the requests are cut", () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 20 }), { maxLength: 10 }), (cuts) => {
        const bits = rehearsalBits("cut");
        const pieces = cuts.flatMap((length) => [...words(bits, length)]);
        expect(pieces).toEqual([...words(rehearsalBits("cut"), pieces.length)]);
      }),
    );
  });

  test("leading and trailing byte are uniform by chi-square", () => {
    const sample = words(rehearsalBits(5), 200_000);
    let at = 0;
    expect(rejects(tally(200_000, () => sample[at++]! >>> 24), () => 1 / 256, 0, 255)).toBe(false);
    at = 0;
    expect(rejects(tally(200_000, () => sample[at++]! & 255), () => 1 / 256, 0, 255)).toBe(false);
  });
});

describe("shuffle", () => {
  test("every order of four is equally likely, and a naive swap with any entry is told apart", () => {
    const bits = rehearsalBits(6);
    const order = () => {
      const entries = [1, 2, 3, 4];
      shuffle(bits, entries);
      return Number(entries.join(""));
    };
    const orders = [...permutations([1, 2, 3, 4])].map((entries) => Number(entries.join(""))).sort((a, b) => a - b);
    const position = new Map(orders.map((value, i) => [value, i]));
    expect(rejects(tally(48_000, () => position.get(order())!), () => 1 / 24, 0, 23)).toBe(false);

    const naive = () => {
      const entries = [1, 2, 3, 4];
      for (let i = 0; i < 4; i++) {
        const j = words(bits, 1)[0]! >>> 30;
        [entries[i], entries[j]] = [entries[j]!, entries[i]!];
      }
      return Number(entries.join(""));
    };
    expect(rejects(tally(48_000, () => position.get(naive())!), () => 1 / 24, 0, 23)).toBe(true);
  });

  test("keeps the entries, in arrays and typed arrays, and leaves none and one alone", () => {
    const entries = Int32Array.from({ length: 500 }, (_, i) => i);
    shuffle(secureBits(), entries);
    expect(Array.from(entries).sort((a, b) => a - b)).toEqual(Array.from({ length: 500 }, (_, i) => i));
    const none: string[] = [];
    const one = ["x"];
    shuffle(secureBits(), none);
    shuffle(secureBits(), one);
    expect([none, one]).toEqual([[], ["x"]]);
  });
});

describe("no way around RandomBits", () => {
  const root = join(import.meta.dirname, "../../src");
  const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));

  test("Math.random appears nowhere, and seedrandom only behind rehearsalBits", () => {
    const containing = (text: string) => files.filter((file) => readFileSync(join(root, file), "utf8").includes(text)).map((file) => file.replaceAll("\\", "/"));
    expect(containing("Math.random")).toEqual([]);
    expect(containing('from "seedrandom').sort()).toEqual(["random/rehearsal-bits.ts", "random/seedrandom-alea.d.ts"]);
  });

  test("neither the samplers' door nor src/dp reaches rehearsalBits", () => {
    const reached = new Set<string>();
    const visit = (file: string): void => {
      if (reached.has(file)) return;
      reached.add(file);
      const text = readFileSync(file, "utf8");
      for (const [, specifier] of text.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)) {
        if (specifier!.startsWith(".")) visit(join(file, "..", specifier!));
      }
    };
    visit(join(root, "random/index.ts"));
    for (const file of files.filter((name) => /^dp[\\/]/.test(name))) visit(join(root, file));
    expect(reached.size).toBeGreaterThan(10);
    expect([...reached].filter((file) => file.includes("rehearsal-bits"))).toEqual([]);
  });
});

function* permutations(entries: readonly number[]): Generator<number[]> {
  if (entries.length === 0) yield [];
  for (const first of entries) for (const rest of permutations(entries.filter((entry) => entry !== first))) yield [first, ...rest];
}
