import { execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, test } from "vitest";
import { gunzip, openFileBytes } from "../../src/node/file-bytes.ts";
import { openFileRandomAccess } from "../../src/node/file-random-access.ts";
import { createHasher, hashFile } from "../../src/node/hash.ts";
import type { ByteSource } from "../../src/sources/bytes.ts";

const folder = mkdtempSync(join(tmpdir(), "bytes-canary-home-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const path = (name: string): string => join(folder, name);

async function collect(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const chunk of bytes) parts.push(Buffer.from(chunk));
  return Buffer.concat(parts);
}

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const rows = Buffer.from(Array.from({ length: 40 }, (_, i) => `${i},${(i * 7919) % 1000},row\n`).join(""));

describe("regular files", () => {
  test("are read whole, again and again", async () => {
    const big = Buffer.alloc(3_300_000, "0123456789abc");
    writeFileSync(path("big.csv"), big);
    const source = await openFileBytes(path("big.csv"));
    expect(source).toMatchObject({ label: "big.csv", totalBytes: big.length, reopenable: true });
    expect((await collect(source.open())).equals(big)).toBe(true);
    expect((await collect(source.open())).equals(big)).toBe(true);
  });

  test("an empty file has no bytes", async () => {
    writeFileSync(path("empty.csv"), "");
    expect((await collect((await openFileBytes(path("empty.csv"))).open())).length).toBe(0);
  });

  const tampering: Record<string, (file: string) => void> = {
    appended: (file) => appendFileSync(file, "x"),
    "rewritten with the same length": (file) => writeFileSync(file, Buffer.alloc(2_500_000, "b")),
    "replaced by another file": (file) => {
      writeFileSync(`${file}.new`, Buffer.alloc(2_500_000, "a"));
      renameSync(`${file}.new`, file);
    },
    "cut short": (file) => truncateSync(file, 1_200_000),
    removed: (file) => rmSync(file),
    "touched only": (file) => utimesSync(file, 1, 1),
  };
  test.each(Object.keys(tampering))("%s while being read: refused", async (kind) => {
    const file = path("tampered.csv");
    writeFileSync(file, Buffer.alloc(2_500_000, "a"));
    const source = await openFileBytes(file);
    const reading = (async () => {
      let first = true;
      for await (const chunk of source.open()) {
        expect(chunk.length).toBeGreaterThan(0);
        if (first) tampering[kind]!(file);
        first = false;
      }
    })();
    await expect(reading).rejects.toMatchObject({ name: "DataError", code: kind === "removed" ? "source/not-found" : "source/changed" });
  });

  test.each(Object.keys(tampering))("%s between two readings: refused", async (kind) => {
    const file = path("between.csv");
    writeFileSync(file, Buffer.alloc(2_500_000, "a"));
    const source = await openFileBytes(file);
    await collect(source.open());
    tampering[kind]!(file);
    await expect(collect(source.open())).rejects.toMatchObject({ code: kind === "removed" ? "source/not-found" : "source/changed" });
  });

  test("missing files, folders and their messages", async () => {
    mkdirSync(path("sub"));
    for (const [name, code] of [["nothing.csv", "source/not-found"], ["sub", "source/is-a-directory"]] as const) {
      for (const open of [openFileBytes, openFileRandomAccess]) {
        const failure = await open(path(name)).then(
          () => undefined,
          (error: unknown) => error as Error,
        );
        expect(failure).toMatchObject({ name: "DataError", code });
        expect(failure!.message).not.toContain("canary-home");
        expect(failure!.cause).toBeUndefined();
      }
    }
    const socket = createServer().listen(path("socket"));
    await expect(openFileBytes(path("socket"))).rejects.toMatchObject({ code: "source/unreadable" });
    socket.close();
  });

  test("stops when aborted", async () => {
    const controller = new AbortController();
    const source = await openFileBytes(path("big.csv"));
    const reading = (async () => {
      for await (const chunk of source.open(controller.signal)) {
        expect(chunk.length).toBeGreaterThan(0);
        controller.abort();
      }
    })();
    await expect(reading).rejects.toMatchObject({ name: "AbortError" });
  });

  test("a pipe can be read once", async () => {
    execFileSync("mkfifo", [path("pipe")]);
    const source: ByteSource = await openFileBytes(path("pipe"));
    expect(source).toMatchObject({ reopenable: false, totalBytes: undefined });
    const { writeFile } = await import("node:fs/promises");
    const writing = writeFile(path("pipe"), rows);
    expect((await collect(source.open())).equals(rows)).toBe(true);
    await writing;
    expect(() => source.open()).toThrow(expect.objectContaining({ code: "source/one-shot" }) as Error);
  });
});

describe("gzip", () => {
  const one = gzipSync(rows);
  const two = Buffer.concat([gzipSync(rows.subarray(0, 300)), gzipSync(rows.subarray(300))]);
  const boundary = gzipSync(rows.subarray(0, 300)).length;

  test.each([1, 7, boundary, 1 << 20])("members are joined, whatever the pieces (%d bytes)", async (size) => {
    expect((await collect(gunzip(pieces(one, size), "x"))).equals(rows)).toBe(true);
    expect((await collect(gunzip(pieces(two, size), "x"))).equals(rows)).toBe(true);
    const many = Buffer.concat(Array.from({ length: 20 }, () => gzipSync("")).concat(one));
    expect((await collect(gunzip(pieces(many, size), "x"))).equals(rows)).toBe(true);
  });

  test("by the file's ending", async () => {
    writeFileSync(path("rows.csv.gz"), two);
    expect((await collect((await openFileBytes(path("rows.csv.gz"))).open())).equals(rows)).toBe(true);
    expect((await collect((await openFileBytes(path("rows.csv.gz"), { gzip: false })).open())).equals(two)).toBe(true);
  });

  /** Node alone reads a file whose second member begins with a zero byte as if it ended there, and reports nothing. */
  test.each([
    ["one member", one],
    ["two members", two],
  ])("%s cut at every byte: refused, but for the end of a member", async (_, whole) => {
    for (const size of [1 << 20, 16]) {
      for (let end = 0; end < whole.length; end++) {
        const reading = collect(gunzip(pieces(whole.subarray(0, end), size), "x"));
        if (whole === two && end === boundary) expect((await reading).equals(rows.subarray(0, 300))).toBe(true);
        else await expect(reading).rejects.toMatchObject({ name: "DataError", code: "gzip/truncated" });
      }
    }
  });

  test.each([
    ["one member", one],
    ["two members", two],
  ])("%s with any byte changed: refused or the same rows", async (_, whole) => {
    for (const size of [1 << 20, 16]) {
      for (let at = 0; at < whole.length; at++) {
        for (const change of [0xff, 0x01, whole[at]!]) {
          const damaged = Buffer.from(whole);
          damaged[at]! ^= change; // the last change makes the byte zero
          if (damaged.equals(whole)) continue;
          const result = await collect(gunzip(pieces(damaged, size), "x")).catch((error: unknown) => error as Error);
          if (Buffer.isBuffer(result)) expect(result.equals(rows)).toBe(true);
          else expect(result).toMatchObject({ name: "DataError", code: expect.stringMatching(/^gzip\//) as string });
        }
      }
    }
  });

  test.each(["\0", "\0\0\0\0\0\0\0\0", "x", "a longer text after the end", "\x1f\x8b", "\x1f"])("bytes after the end: %j refused", async (tail) => {
    for (const size of [1 << 20, one.length, 5]) {
      const reading = collect(gunzip(pieces(Buffer.concat([one, Buffer.from(tail, "latin1")]), size), "x"));
      await expect(reading).rejects.toMatchObject({ name: "DataError", code: expect.stringMatching(/^gzip\//) as string });
    }
  });

  test("an empty file is no gzip file", async () => {
    await expect(collect(gunzip(pieces(Buffer.alloc(0), 1), "x"))).rejects.toMatchObject({ code: "gzip/truncated" });
  });

  test("a bomb stops early", async () => {
    const bomb = gzipSync(Buffer.alloc(200_000_000), { level: 9 });
    const before = Date.now();
    await expect(collectLength(gunzip(pieces(bomb, 1 << 16), "x"))).rejects.toMatchObject({ code: "gzip/too-large" });
    await expect(collectLength(gunzip(pieces(bomb, 1 << 16), "x", { maxUnpackedBytes: 1000 }))).rejects.toMatchObject({ code: "gzip/too-large" });
    expect(Date.now() - before).toBeLessThan(5000);
    expect(await collectLength(gunzip(pieces(bomb, 1 << 16), "x", { maxRatio: 2000 }))).toBe(200_000_000);
  });

  test("a failure of the input is reported as it is", async () => {
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield one.subarray(0, 20);
      throw new RangeError("input");
    }
    await expect(collect(gunzip(failing(), "x"))).rejects.toThrow(RangeError);
  });

  test("a reader may stop early", async () => {
    for await (const chunk of gunzip(pieces(gzipSync(Buffer.alloc(5_000_000)), 100), "x")) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
  });

  async function collectLength(bytes: AsyncIterable<Uint8Array>): Promise<number> {
    let length = 0;
    for await (const chunk of bytes) length += chunk.length;
    return length;
  }
});

describe("random access", () => {
  test("reads ranges, refuses what lies outside, notices changes", async () => {
    writeFileSync(path("ranges"), rows);
    const file = await openFileRandomAccess(path("ranges"));
    expect(file.size).toBe(rows.length);
    expect(Buffer.from(await file.read(10, 25)).equals(rows.subarray(10, 35))).toBe(true);
    expect((await file.read(rows.length, 0)).length).toBe(0);
    for (const [offset, length] of [[-1, 2], [rows.length, 1], [0, rows.length + 1], [0, -1], [2 ** 60, 1]] as const) {
      await expect(file.read(offset, length)).rejects.toMatchObject({ name: "DataError", code: "source/truncated" });
    }
    await file.verifyUnchanged();
    truncateSync(path("ranges"), 20);
    await expect(file.read(10, 25)).rejects.toMatchObject({ code: "source/changed" });
    await expect(file.verifyUnchanged()).rejects.toMatchObject({ code: "source/changed" });
    await file.close();
  });
});

/** FIPS 180-2, appendix B.1: the digest of "abc". */
test("SHA-256 of abc", async () => {
  const hasher = createHasher();
  hasher.update(Buffer.from("a"));
  hasher.update(Buffer.from("bc"));
  const expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  expect(hasher.digest()).toBe(expected);
  writeFileSync(path("abc"), "abc");
  expect(await hashFile(path("abc"))).toEqual({ sha256: expected, bytes: 3 });
});
