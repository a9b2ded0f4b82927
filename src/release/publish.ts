import type { FileRecord } from "../catalog/index.ts";
import { InternalError } from "../errors/index.ts";
import type { ByteSink } from "../sinks/index.ts";
import type { NewHasher } from "../sources/hasher.ts";
import type { Plan } from "./plan-value.ts";
import type { Stage } from "./platform.ts";
import { describeRelease, jsonText, manifestText, PLAN_PATH, publicTexts, MANIFEST_PATH } from "./public-texts.ts";
import type { Policy } from "../policy/index.ts";
import type { Road } from "./road.ts";
import type { ReleaseOutput } from "./road.ts";

const encoder = new TextEncoder();

/** Collects what is staged, with size and hash of every public data file as its bytes pass by. */
export class StagedOutput implements ReleaseOutput {
  readonly #stage: Stage;
  readonly #newHasher: NewHasher;
  /** By path relative to `public/`. */
  readonly files = new Map<string, FileRecord>();
  readonly #open = new Set<ByteSink>();

  constructor(stage: Stage, newHasher: NewHasher) {
    this.#stage = stage;
    this.#newHasher = newHasher;
  }

  /** A data file, by its path relative to `public/`. */
  async create(path: string): Promise<ByteSink> {
    const sink = await this.#stage.create(`public/${path}`);
    const hasher = this.#newHasher();
    let bytes = 0;
    const counted: ByteSink = {
      write: async (chunk) => {
        hasher.update(chunk);
        bytes += chunk.length;
        await sink.write(chunk);
      },
      close: async () => {
        await sink.close();
        this.#open.delete(counted);
        this.files.set(path, { path, bytes, sha256: hasher.digest() });
      },
      abort: async () => {
        this.#open.delete(counted);
        await sink.abort();
      },
    };
    this.#open.add(counted);
    return counted;
  }

  createInternal(path: string): Promise<ByteSink> {
    return this.#stage.create(`internal/${path}`);
  }

  async writeText(path: string, text: string): Promise<FileRecord> {
    const bytes = encoder.encode(text);
    const hasher = this.#newHasher();
    hasher.update(bytes);
    const sink = await this.#stage.create(path);
    await sink.write(bytes);
    await sink.close();
    return { path: path.replace(/^public\//, ""), bytes: bytes.length, sha256: hasher.digest() };
  }

  /** @throws InternalError when a data file was never closed. */
  checkClosed(): void {
    if (this.#open.size > 0) throw new InternalError("release/open-file", `${this.#open.size} released files were not closed.`);
  }
}

/** Stage everything that goes with the data: public texts, manifest, and the plan for those who answer for the release. */
export async function stageTexts(output: StagedOutput, plan: Plan, policy: Policy, road: Road): Promise<void> {
  output.checkClosed();
  const description = describeRelease(policy, road, plan.decision, plan.input.columns);
  const records = [...output.files.values()];
  for (const [path, text] of publicTexts(description, output.files)) records.push(await output.writeText(path, text));
  await output.writeText(MANIFEST_PATH, manifestText(records));
  await output.writeText(PLAN_PATH, jsonText(plan));
}
