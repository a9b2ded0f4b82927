import type { Progress } from "../release/progress.ts";
import { bytes, count, duration } from "./numbers.ts";

/** Work that is done sooner is not worth a bar. */
const QUIET_MS = 500;
/** Between two drawings of the bar, and between two lines in a log. */
const BAR_MS = 100;
const LINE_MS = 5000;
const BAR_CHARACTERS = 24;

const DOING: Record<Progress["phase"], string> = {
  survey: "Reading",
  plan: "Deciding",
  apply: "Writing",
  verify: "Verifying",
  publish: "Publishing",
};

interface Screen {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

/** Progress of long work: a bar on a terminal, a line every few seconds elsewhere. */
export class ProgressDisplay {
  readonly #screen: Screen | undefined;
  readonly #now: () => number;
  readonly #started: number;
  #phase: string | undefined;
  #phaseStarted = 0;
  #shown: number;
  #drawn = false;

  /** @param screen undefined to show nothing; @param now milliseconds, for tests */
  constructor(screen: Screen | undefined, now: () => number = () => performance.now()) {
    this.#screen = screen;
    this.#now = now;
    this.#started = now();
    this.#shown = this.#started;
  }

  show(progress: Progress): void {
    if (this.#screen === undefined) return;
    const now = this.#now();
    const phase = `${progress.phase} ${progress.unit}`;
    if (phase !== this.#phase) {
      this.#phase = phase;
      this.#phaseStarted = now;
    }
    const bar = this.#screen.isTTY === true;
    if (now - this.#started < QUIET_MS || now - this.#shown < (bar ? BAR_MS : LINE_MS)) return;
    this.#shown = now;
    const text = progressText(progress, (now - this.#phaseStarted) / 1000, bar);
    if (!bar) return void this.#screen.write(`${text}\n`);
    // One less than the width, since some terminals wrap when the last column is written.
    this.#screen.write(`\r${text.slice(0, Math.max(10, (this.#screen.columns || 80) - 1))}\u001b[K`);
    this.#drawn = true;
  }

  /** Take the bar away. */
  clear(): void {
    if (!this.#drawn) return;
    this.#screen?.write("\r\u001b[K");
    this.#drawn = false;
  }
}

/** "Reading   [######------]  45 %  150 MB  106 MB/s  4 s left" */
export function progressText({ phase, done, total, unit }: Progress, seconds: number, bar: boolean): string {
  const parts = [DOING[phase].padEnd(10)];
  const share = total === undefined || total <= 0 ? undefined : Math.min(1, done / total);
  if (share !== undefined) {
    const filled = Math.floor(share * BAR_CHARACTERS);
    if (bar) parts.push(`[${"#".repeat(filled)}${"-".repeat(BAR_CHARACTERS - filled)}]`);
    parts.push(`${Math.floor(share * 100)} %`.padStart(5));
  }
  if (unit !== "steps" && done > 0) {
    const amount = (n: number): string => (unit === "bytes" ? bytes(n) : `${count(Math.round(n))} records`);
    parts.push(amount(done));
    if (seconds > 0.2) parts.push(`${amount(done / seconds)}/s`);
  }
  if (share !== undefined && share > 0.02 && share < 1 && seconds > 0.5) {
    parts.push(`${duration((seconds / share) * (1 - share))} left`);
  }
  return parts.join("  ").trimEnd();
}
