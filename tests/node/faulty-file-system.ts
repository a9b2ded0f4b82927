import { nodeFileSystem, type FileSystem, type OpenFile } from "../../src/node/file-system.ts";

/** A file system whose n-th call (counted from 1) fails; from then on all calls fail when `forGood`. */
export class FaultyFileSystem {
  calls = 0;
  failed = 0;
  readonly #failAt: number;
  readonly #errno: string;
  readonly #forGood: boolean;

  constructor(failAt: number, errno: string, forGood = false) {
    this.#failAt = failAt;
    this.#errno = errno;
    this.#forGood = forGood;
  }

  readonly fs: FileSystem = new Proxy(nodeFileSystem, {
    get: (target, name: keyof FileSystem) => async (...args: unknown[]) => {
      this.#count();
      const result = await (target[name] as (...args: unknown[]) => Promise<unknown>)(...args);
      return name === "open" ? this.#wrap(result as OpenFile) : result;
    },
  });

  #wrap(file: OpenFile): OpenFile {
    return {
      write: async (bytes, offset, length) => {
        try {
          this.#count();
        } catch (error) {
          // A full disk often takes part of the bytes first.
          await file.write(bytes, offset, length >> 1);
          throw error;
        }
        return file.write(bytes, offset, length);
      },
      sync: async () => {
        this.#count();
        await file.sync();
      },
      close: async () => {
        await file.close();
        this.#count();
      },
    };
  }

  #count(): void {
    this.calls++;
    if (this.calls === this.#failAt || (this.#forGood && this.calls > this.#failAt)) {
      this.failed++;
      throw Object.assign(new Error(`${this.#errno}: secret path /home/canary-user/x`), { code: this.#errno });
    }
  }
}
