/** Where a long step stands. */
export interface Progress {
  readonly phase: "survey" | "plan" | "apply" | "verify" | "publish";
  /** Done so far and in all, in `unit`; `total` is absent when it is not known. */
  readonly done: number;
  readonly total?: number | undefined;
  readonly unit: "bytes" | "records" | "steps";
}

export type ReportProgress = (progress: Progress) => void;
