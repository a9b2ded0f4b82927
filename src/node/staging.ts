/**
 * Publishing a folder so that readers see the old release, the new one, or none; never a part.
 *
 * Files are written into `.<target>.staging-<random>` (mode 0700) beside the target, hence on the same file system, and made
 * durable. Then:
 * - nothing or an empty folder at the target: one rename.
 * - a release at the target: the old one is renamed aside and the new one renamed in. Between the two renames there is no
 *   release for some microseconds; a run killed there leaves the old one aside, and the next run puts it back first.
 * - a symbolic link at the target, or `versions: true` for a new target: the release becomes a sibling folder
 *   `.<target>.version-<random>` and the link is replaced by one rename, so that there is a release at every instant. The
 *   version before stays until the next publication, for readers that have resolved the link.
 * Folders are the default because a link surprises whoever copies, moves, archives or deletes the release.
 *
 * Whoever holds the lock of a target knows that all other staging folders of it are leftovers, and removes them.
 */
import { randomBytes } from "node:crypto";
import { basename, dirname, join, resolve } from "node:path";
import { DataError, InternalError } from "../errors/index.ts";
import type { ByteSink } from "../sinks/sink.ts";
import { createFileSink, type FileSink } from "./file-sink.ts";
import { isMissing, nodeFileSystem, outputError, systemCode, type FileSystem } from "./file-system.ts";
import { lockTarget, sweepLocks, type TargetLock } from "./target-lock.ts";

/** A release under construction. Nothing is visible at the target before `publish`, which makes all of it visible at once. */
export interface Staging {
  /** Where the staged files can be read back for verification. */
  readonly root: string;
  /**
   * A new file, named "public/..." or "internal/...".
   * @throws InternalError `staging/bad-name` for a name outside the two folders or already taken.
   */
  create(name: string): Promise<ByteSink>;
  /** Write a small file whole. */
  writeText(name: string, text: string): Promise<void>;
  /** Path of a staged file, to read it back. */
  path(name: string): string;
  /** Names of all staged files, sorted. */
  names(): readonly string[];
  /** Replace what is at the target by what was staged. Returns the target's path. Afterwards the staging is spent. */
  publish(): Promise<string>;
  /** Remove everything that was staged; the target stays as it was. May be called twice, and after `publish`. */
  abort(): Promise<void>;
}

export interface StagingOptions {
  /** File that every release holds; a folder without it is not replaced. Default "public/manifest.json". */
  readonly marker?: string;
  /** Publish a new target as a link to a versioned folder. An existing target keeps its kind. Default false. */
  readonly versions?: boolean;
  /** For tests. */
  readonly fs?: FileSystem;
}

type TargetKind = "none" | "empty" | "release" | "link";

/**
 * Lock a target, put right what an interrupted run left, and open a staging folder for it. Parent folders are made.
 *
 * @throws DataError `output/not-a-release` when the target holds something else than a release,
 *   `output/locked` when another run is at work on it, `output/write-failed` when the system refuses.
 */
export async function openStaging(target: string, options: StagingOptions = {}): Promise<Staging> {
  const fs = options.fs ?? nodeFileSystem;
  const marker = options.marker ?? "public/manifest.json";
  const name = basename(resolve(target));
  if (name === "" || name === "." || name === "..") {
    throw new DataError("output/not-a-release", "The root folder cannot be the target of a release. Name a folder of its own.");
  }
  let lock: TargetLock | undefined;
  try {
    const wanted = dirname(resolve(target));
    await fs.makeParents(wanted);
    const parent = await fs.realpath(wanted);
    lock = await lockTarget(join(parent, `.${name}.lock`), fs);
    await restoreInterrupted(parent, name, fs);
    const kind = await kindOfTarget(parent, name, marker, fs);
    await sweep(parent, name, kind, fs);

    const root = join(parent, sibling(name, "staging"));
    try {
      await fs.mkdir(root, 0o700);
      await fs.mkdir(join(root, "public"), 0o700);
      await fs.mkdir(join(root, "internal"), 0o700);
    } catch (error) {
      await fs.removeTree(root).catch(() => undefined);
      throw error;
    }
    return new FolderStaging({ parent, name, root, marker, versions: options.versions ?? false, lock, fs });
  } catch (error) {
    await lock?.release().catch(() => undefined);
    throw outputError("prepare", name, error);
  }
}

interface Place {
  readonly parent: string;
  readonly name: string;
  readonly root: string;
  readonly marker: string;
  readonly versions: boolean;
  readonly lock: TargetLock;
  readonly fs: FileSystem;
}

class FolderStaging implements Staging {
  readonly root: string;
  readonly #place: Place;
  readonly #names = new Set<string>();
  /** Names without case, since some file systems cannot tell "A" from "a". */
  readonly #taken = new Set<string>();
  /** Files that are being written; their handles must not outlive the staging. */
  readonly #open = new Map<string, ByteSink>();
  /** Files that were closed and are being made durable. */
  readonly #closed = new Map<string, FileSink>();
  readonly #folders = new Set<string>(["public", "internal"]);
  #state: "open" | "published" | "aborted" = "open";

  constructor(place: Place) {
    this.#place = place;
    this.root = place.root;
  }

  async create(name: string): Promise<ByteSink> {
    this.#refuseSpent();
    checkName(name);
    const folded = name.toLowerCase();
    if (this.#taken.has(folded)) throw badName("is already taken");
    this.#taken.add(folded);
    const { fs } = this.#place;
    try {
      await this.#makeFolders(name);
      const sink = await createFileSink(this.path(name), fs);
      this.#names.add(name);
      this.#open.set(name, sink);
      return {
        write: (bytes) => sink.write(bytes),
        close: async () => {
          await sink.close();
          this.#open.delete(name);
          this.#closed.set(name, sink);
        },
        abort: async () => {
          await sink.abort();
          this.#open.delete(name);
          this.#closed.delete(name);
          this.#names.delete(name);
          this.#taken.delete(folded);
        },
      };
    } catch (error) {
      this.#taken.delete(folded);
      throw outputError("create", name, error);
    }
  }

  async writeText(name: string, text: string): Promise<void> {
    const sink = await this.create(name);
    await sink.write(new TextEncoder().encode(text));
    await sink.close();
  }

  path(name: string): string {
    checkName(name);
    return join(this.root, ...name.split("/"));
  }

  names(): readonly string[] {
    return [...this.#names].sort();
  }

  async publish(): Promise<string> {
    this.#refuseSpent();
    const { marker, name, parent } = this.#place;
    if (this.#open.size > 0) throw new InternalError("staging/open-files", `${this.#open.size} staged files are still open.`);
    if (!this.#names.has(marker)) {
      throw new InternalError("staging/no-manifest", `A release cannot be published without its file "${marker}".`, { file: marker });
    }
    try {
      for (const sink of this.#closed.values()) await sink.durable();
      await this.#setModesAndSync();
      await this.#switch();
    } catch (error) {
      await this.abort().catch(() => undefined); // the next run removes what could not be removed now
      throw outputError("publish", name, error);
    }
    this.#state = "published";
    await this.#place.lock.release().catch(() => undefined); // a dead lock is taken over
    return join(parent, name);
  }

  async abort(): Promise<void> {
    if (this.#state !== "open") return;
    this.#state = "aborted";
    const { fs, root, lock, name } = this.#place;
    // What they leave goes with the folder.
    for (const sink of [...this.#open.values(), ...this.#closed.values()]) await sink.abort().catch(() => undefined);
    try {
      await fs.removeTree(root);
    } catch (error) {
      throw outputError("remove the staged files of", name, error);
    } finally {
      await lock.release().catch(() => undefined);
    }
  }

  async #makeFolders(name: string): Promise<void> {
    const parts = name.split("/");
    for (let depth = 1; depth < parts.length; depth++) {
      const folder = parts.slice(0, depth).join("/");
      if (this.#folders.has(folder)) continue;
      // Two files of one folder may be created at the same time.
      await this.#place.fs.mkdir(join(this.root, folder), 0o700).catch((error: unknown) => {
        if (systemCode(error) !== "EEXIST") throw error;
      });
      this.#folders.add(folder);
    }
  }

  /** Public files become readable for all, internal ones stay the owner's. The staging folder itself still shuts others out. */
  async #setModesAndSync(): Promise<void> {
    const { fs, root } = this.#place;
    for (const file of this.names()) if (file.startsWith("public/")) await fs.chmod(join(root, file), 0o644);
    for (const folder of [...this.#folders].sort().reverse()) {
      const path = join(root, folder);
      if (folder === "public" || folder.startsWith("public/")) await fs.chmod(path, 0o755);
      await syncFolder(path, fs);
    }
    await syncFolder(root, fs);
  }

  async #switch(): Promise<void> {
    const { parent, name, root, marker, versions, fs } = this.#place;
    const target = join(parent, name);
    const kind = await kindOfTarget(parent, name, marker, fs); // it may have changed since the start
    await fs.chmod(root, 0o755);
    if (kind === "link" || (versions && kind === "none")) return switchLink(parent, name, root, kind, fs);
    if (kind !== "release") {
      await fs.rename(root, target);
      return settle(parent, fs, () => fs.rename(target, root));
    }
    const aside = join(parent, sibling(name, "replaced"));
    const putBack = async (): Promise<void> => fs.rename(aside, target);
    await fs.rename(target, aside);
    try {
      await fs.rename(root, target);
    } catch (error) {
      await putBack();
      throw error;
    }
    await settle(parent, fs, async () => {
      await fs.rename(target, root);
      await putBack();
    });
    // Under its new name a half-removed folder can never be put back; what stays, the next run removes.
    const discarded = join(parent, sibling(name, "staging"));
    await fs.rename(aside, discarded).then(
      () => fs.removeTree(discarded),
      () => undefined,
    ).catch(() => undefined);
  }

  #refuseSpent(): void {
    if (this.#state !== "open") throw new InternalError("staging/spent", `This staging was already ${this.#state}.`);
  }
}

/** Flip the link at the target, or make it, by renaming a new link over it. */
async function switchLink(parent: string, name: string, root: string, kind: TargetKind, fs: FileSystem): Promise<void> {
  const target = join(parent, name);
  const version = sibling(name, "version");
  const link = join(parent, sibling(name, "staging"));
  const before = kind === "link" ? await fs.readlink(target) : undefined;
  await fs.rename(root, join(parent, version));
  try {
    await syncFolder(parent, fs); // the folder must be durable before the link that names it
    await fs.symlink(version, link);
    await fs.rename(link, target);
  } catch (error) {
    await fs.unlink(link).catch(() => undefined);
    await fs.rename(join(parent, version), root);
    throw error;
  }
  await settle(parent, fs, async () => {
    if (before === undefined) await fs.unlink(target);
    else {
      await fs.symlink(before, link);
      await fs.rename(link, target);
    }
    await fs.rename(join(parent, version), root);
  });
  for (const leftover of await fs.list(parent).catch(() => [])) {
    if (isSibling(leftover, name, "version") && leftover !== version && leftover !== before) {
      await fs.removeTree(join(parent, leftover)).catch(() => undefined);
    }
  }
}

/** Make the renames durable; when that fails take them back, so that a failed run never leaves a new release. */
async function settle(parent: string, fs: FileSystem, undo: () => Promise<void>): Promise<void> {
  try {
    await syncFolder(parent, fs);
  } catch (error) {
    await undo();
    throw error;
  }
}

async function syncFolder(path: string, fs: FileSystem): Promise<void> {
  if (process.platform === "win32") return; // folders cannot be opened there; NTFS journals renames
  const folder = await fs.open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** @throws DataError `output/not-a-release` for anything that must not be replaced. */
async function kindOfTarget(parent: string, name: string, marker: string, fs: FileSystem): Promise<TargetKind> {
  const target = join(parent, name);
  const status = await statusOf(target, fs);
  if (!status) return "none";
  if (status.isSymbolicLink()) {
    const to = await fs.readlink(target);
    if (!isSibling(to, name, "version") || !(await holdsMarker(target, marker, fs))) {
      throw notARelease(name, "is a symbolic link that this library did not make");
    }
    return "link";
  }
  if (!status.isDirectory()) throw notARelease(name, "is not a folder");
  if ((await fs.list(target)).length === 0) return "empty";
  if (!(await holdsMarker(target, marker, fs))) throw notARelease(name, `holds files but no "${marker}"`);
  return "release";
}

async function holdsMarker(folder: string, marker: string, fs: FileSystem): Promise<boolean> {
  return (await statusOf(join(folder, marker), fs))?.isFile() ?? false;
}

async function statusOf(path: string, fs: FileSystem) {
  try {
    return await fs.lstat(path);
  } catch (error) {
    if (isMissing(error) || systemCode(error) === "ENOTDIR") return undefined;
    throw error;
  }
}

/** A run was killed between its two renames: the old release stands aside and none is at the target. Put it back. */
async function restoreInterrupted(parent: string, name: string, fs: FileSystem): Promise<void> {
  if (await statusOf(join(parent, name), fs)) return;
  const aside = (await fs.list(parent)).filter((entry) => isSibling(entry, name, "replaced")).sort();
  if (aside.length > 0) await fs.rename(join(parent, aside[0]!), join(parent, name));
}

/** Remove what earlier runs left. Only safe under the lock. */
async function sweep(parent: string, name: string, kind: TargetKind, fs: FileSystem): Promise<void> {
  for (const entry of await fs.list(parent)) {
    const leftover =
      isSibling(entry, name, "staging") || isSibling(entry, name, "replaced") || (kind === "none" && isSibling(entry, name, "version"));
    if (leftover) await fs.removeTree(join(parent, entry));
  }
  await sweepLocks(parent, `.${name}.lock`, fs);
}

type SiblingKind = "staging" | "replaced" | "version";

/** A fresh name beside the target. */
function sibling(name: string, kind: SiblingKind): string {
  return `.${name}.${kind}-${randomBytes(8).toString("hex")}`;
}

/** Exactly the names that `sibling` makes: those of a target called "a.staging-b" are no business of a target "a". */
function isSibling(entry: string, name: string, kind: SiblingKind): boolean {
  const prefix = `.${name}.${kind}-`;
  return entry.startsWith(prefix) && /^[0-9a-f]{16}$/.test(entry.slice(prefix.length));
}

const NAME_PART = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,119}$/;
const RESERVED = /^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)/i;

/** Names are an allow-list, so that no name from a policy or from data can leave the folder or clash on another system. */
function checkName(name: string): void {
  const parts = name.split("/");
  if (parts.length < 2 || parts.length > 5 || (parts[0] !== "public" && parts[0] !== "internal")) {
    throw badName("does not lie in public/ or internal/");
  }
  for (const part of parts) {
    if (!NAME_PART.test(part) || RESERVED.test(part) || part.endsWith(".")) {
      throw badName("has a part that is not made of letters, digits, dots, hyphens and underscores, or is reserved");
    }
  }
}

function badName(found: string): InternalError {
  return new InternalError("staging/bad-name", `The name of an output file ${found}.`);
}

function notARelease(name: string, found: string): DataError {
  return new DataError(
    "output/not-a-release",
    `The target "${name}" ${found}, so it is not a release that may be replaced. Choose another folder, or remove this one yourself.`,
    { target: name },
  );
}
