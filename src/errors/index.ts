/**
 * Four classes of error, by who must act. Each has a stable `code`, a typed `detail` and a sentence that says what was
 * found, what was expected and what to do next. Neither message nor detail ever holds a value from a row.
 */

/** What an error may carry: names, counts, positions, rules. Never data values. */
export type ErrorDetail = Readonly<Record<string, string | number | boolean | readonly (string | number)[]>>;

export abstract class CommensurateError extends Error {
  /** Stable identifier such as "csv/ragged-row"; safe to match on. */
  readonly code: string;
  readonly detail: ErrorDetail;

  constructor(code: string, message: string, detail: ErrorDetail = {}) {
    super(message);
    this.code = code;
    this.detail = detail;
  }

  /** One line for people: class, code, sentence. */
  override toString(): string {
    return `${this.name} [${this.code}] ${this.message}`;
  }
}

/** The policy must be fixed. */
export class PolicyError extends CommensurateError {
  override readonly name = "PolicyError";
}

/** The input data or file must be fixed. */
export class DataError extends CommensurateError {
  override readonly name = "DataError";
}

/** The release is not safe, or cannot be shown to be. Nothing was published. */
export class DisclosureError extends CommensurateError {
  override readonly name = "DisclosureError";
}

/** A defect in commensurate. */
export class InternalError extends CommensurateError {
  override readonly name = "InternalError";
}

/** The closest candidate to a misspelt name, or undefined when none is close. Optimal string alignment distance. */
export function closestName(name: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.ceil(name.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1;
      let cost = Math.min(previous[j]! + 1, current[j - 1]! + 1, previous[j - 1]! + change);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, beforePrevious[j - 2]! + 1);
      current.push(cost);
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[b.length]!;
}
