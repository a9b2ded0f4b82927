/**
 * One run at a time per target. The lock is a file beside the target that names its owner; a lock whose owner has died is
 * taken over. Taking over is itself locked, by a file named after the dead owner's token, so that of two runs that find the
 * same dead lock only one gets it.
 */
import { randomBytes } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { basename, join } from "node:path";
import { DataError } from "../errors/index.ts";
import { isMissing, systemCode, type FileSystem } from "./file-system.ts";

interface Owner {
  readonly token: string;
  readonly pid: number;
  /** Start time of the process, which tells it from a later one with the same number; "" where unknown. */
  readonly started: string;
  /** Machine and process namespace: elsewhere a process number means nothing. */
  readonly where: string;
}

export interface TargetLock {
  release(): Promise<void>;
}

/**
 * @throws DataError `output/locked` when another run that is alive, or cannot be shown to be dead, holds the lock
 */
export async function lockTarget(path: string, fs: FileSystem): Promise<TargetLock> {
  const token = randomBytes(12).toString("hex");
  const mine = `${path}.${token}`;
  const owner: Owner = { token, pid: process.pid, started: startTime(process.pid), where: whereAmI() };
  try {
    await writeOwner(mine, owner, fs);
    for (;;) {
      // A link appears with its content, or not at all; opening and then writing would show an empty lock for a moment.
      try {
        await fs.link(mine, path);
        break;
      } catch (error) {
        const errno = systemCode(error);
        if (NO_LINKS.has(errno)) {
          // Without hard links the lock is empty for a moment; a reader of that moment takes it as held.
          if (await writeOwner(path, owner, fs).then(() => true, (failed: unknown) => systemCode(failed) !== "EEXIST" && rethrow(failed))) break;
        } else if (errno === "ENOENT") {
          await writeOwner(mine, owner, fs); // swept by a run that had just got the lock, while this file was half written
          continue;
        } else if (errno !== "EEXIST") throw error;
      }
      const holder = await readOwner(path, fs);
      if (holder === "gone") continue;
      if (holder === "unreadable" || !isDead(holder)) throw locked(path);

      const guard = await lockTarget(`${path}.${holder.token}.takeover`, fs);
      try {
        const still = await readOwner(path, fs);
        if (typeof still === "object" && still.token === holder.token) {
          await fs.rename(mine, path);
          return { release: () => unlock(path, token, fs) };
        }
      } finally {
        await guard.release();
      }
    }
  } catch (error) {
    await fs.unlink(mine).catch(() => undefined);
    throw error;
  }
  await fs.unlink(mine).catch(() => undefined); // a second name of the lock; the next run sweeps it
  return { release: () => unlock(path, token, fs) };
}

/** Codes by which file systems without hard links refuse one. */
const NO_LINKS = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"]);

async function writeOwner(path: string, owner: Owner, fs: FileSystem): Promise<void> {
  const file = await fs.open(path, "wx", 0o600);
  try {
    const bytes = new TextEncoder().encode(JSON.stringify(owner));
    const { bytesWritten } = await file.write(bytes, 0, bytes.length);
    if (bytesWritten < bytes.length) throw Object.assign(new Error(), { code: "ENOSPC" });
    await file.close();
  } catch (error) {
    await file.close().catch(() => undefined);
    await fs.unlink(path).catch(() => undefined); // half a lock would look held for ever
    throw error;
  }
}

function rethrow(error: unknown): never {
  throw error;
}

/** Remove what dead runs left of locking: files whose name is the lock's and more. Only for the holder of the lock. */
export async function sweepLocks(folder: string, lockName: string, fs: FileSystem): Promise<void> {
  for (const entry of await fs.list(folder)) {
    if (!entry.startsWith(`${lockName}.`) || !/^(\.[0-9a-f]{24}|\.takeover)+$/.test(entry.slice(lockName.length))) continue;
    const path = join(folder, entry);
    const holder = await readOwner(path, fs);
    // An unreadable one was cut off while it was written; were its owner alive after all, it would write it again.
    if (holder === "unreadable" || (holder !== "gone" && isDead(holder))) await fs.unlink(path).catch((error: unknown) => (isMissing(error) ? undefined : rethrow(error)));
  }
}

async function unlock(path: string, token: string, fs: FileSystem): Promise<void> {
  const holder = await readOwner(path, fs);
  if (typeof holder === "object" && holder.token === token) await fs.unlink(path);
}

async function readOwner(path: string, fs: FileSystem): Promise<Owner | "gone" | "unreadable"> {
  try {
    const owner = JSON.parse(await fs.readText(path)) as Partial<Owner> | null;
    const { token, pid, started, where } = owner ?? {};
    const whole = typeof token === "string" && /^[0-9a-f]{24}$/.test(token) && Number.isSafeInteger(pid);
    if (!whole || typeof started !== "string" || typeof where !== "string") return "unreadable";
    return { token: token!, pid: pid!, started, where };
  } catch (error) {
    if (isMissing(error)) return "gone";
    if (error instanceof SyntaxError) return "unreadable";
    throw error;
  }
}

function isDead(owner: Owner): boolean {
  if (owner.where !== whereAmI()) return false;
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    return systemCode(error) === "ESRCH";
  }
  const started = startTime(owner.pid);
  return owner.started !== "" && started !== "" && started !== owner.started;
}

/** Clock ticks since boot at which a process started, as Linux counts; "" elsewhere. */
function startTime(pid: number): string {
  try {
    const status = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The second field is the program's name in parentheses and may hold spaces: count from its end.
    const fields = status.slice(status.lastIndexOf(")") + 2).split(" ");
    // A zombie has ended; it only waits for its parent to ask how.
    return fields[0] === "Z" || fields[0] === "X" ? "ended" : (fields[19] ?? "");
  } catch {
    return "";
  }
}

function whereAmI(): string {
  const parts = [hostname()];
  for (const read of [() => readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim(), () => readlinkSync("/proc/self/ns/pid")]) {
    try {
      parts.push(read());
    } catch {
      parts.push("");
    }
  }
  return parts.join(" ");
}

function locked(path: string): DataError {
  const file = basename(path);
  return new DataError(
    "output/locked",
    `Another run is writing to the same target (lock file "${file}"). Wait for it to end; if no run is left, for instance ` +
      `after a crash on another machine, delete that file.`,
    { file },
  );
}
