import { open, readdir, readFile, realpath } from "node:fs/promises";
import { join } from "node:path";
import { DataError } from "../errors/index.ts";
import { secureBits } from "../random/index.ts";
import type { Platform, ReleaseReader, Stage } from "../release/platform.ts";
import { openFileSource } from "./file-source.ts";
import { createHasher } from "./hash.ts";
import { inputError } from "./input-file.ts";
import { startLanes } from "./lanes.ts";
import { createSpill } from "./spill-file.ts";
import { openStaging } from "./staging.ts";

/** The corridor's machine: files, threads, secure bits. */
export const nodePlatform: Platform = {
  newHasher: createHasher,
  randomBits: secureBits,
  openFile: openFileSource,
  async readText(path) {
    try {
      return new TextDecoder("utf-8", { fatal: true }).decode(await readFile(path));
    } catch (error) {
      if (error instanceof TypeError) throw new DataError("source/not-utf8", "A file that belongs to the policy is not UTF-8 text. Save it as UTF-8.");
      throw inputError(path, error);
    }
  },
  newSpill: () => createSpill(),
  startLanes: async () => startLanes(),
  async stage(target): Promise<Stage> {
    const staging = await openStaging(target);
    return {
      reader: folderReader(staging.root),
      create: (path) => staging.create(path),
      publish: () => staging.publish(),
      abort: () => staging.abort(),
    };
  },
  async openRelease(directory) {
    try {
      return folderReader(await realpath(directory));
    } catch (error) {
      throw inputError(directory, error);
    }
  },
};

const CHUNK_BYTES = 1 << 20;

function folderReader(root: string): ReleaseReader {
  return {
    async list() {
      const paths: string[] = [];
      await listInto(root, "", paths);
      return paths.sort();
    },
    async *chunks(path) {
      const file = await open(join(root, path), "r").catch((error: unknown) => {
        throw inputError(path, error);
      });
      try {
        // One chunk is read ahead while the one before is looked at.
        let [buffer, other] = [new Uint8Array(CHUNK_BYTES), new Uint8Array(CHUNK_BYTES)];
        for (let reading = file.read(buffer, 0, CHUNK_BYTES, null); ; ) {
          const { bytesRead } = await reading;
          if (bytesRead === 0) return;
          reading = file.read(other, 0, CHUNK_BYTES, null);
          reading.catch(() => undefined); // reported when its turn comes
          yield buffer.subarray(0, bytesRead);
          [buffer, other] = [other, buffer];
        }
      } finally {
        await file.close();
      }
    },
    location: (path) => join(root, path),
    source: (path) => openFileSource(join(root, path)),
  };
}

async function listInto(root: string, folder: string, paths: string[]): Promise<void> {
  const entries = await readdir(join(root, folder), { withFileTypes: true }).catch((error: unknown) => {
    throw inputError(root, error);
  });
  for (const entry of entries) {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) await listInto(root, path, paths);
    else if (entry.isFile()) paths.push(path);
    else throw new DataError("verify/not-a-file", "A release holds plain files and folders only; found a link or device.", {});
  }
}
