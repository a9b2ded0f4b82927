/**
 * Cutting one CSV file into ranges of bytes that several threads read, exactly. A line feed ends a record unless it is
 * quoted, and whether it is follows from the quotes before it. So the bytes are passed once, in order, by a loop that
 * looks at quotes only and says in which state each range begins; or each range is summarised on its own
 * (`quoteTransitions`) and the summaries are chained. A record belongs to the range in which its first byte lies;
 * whoever reads the range goes on past its end to finish its last record.
 *
 * Until the first fault of the file the states are those that reading in order would find, so some range meets that
 * fault. After it they may be wrong, and faults reported there may be made up: on any error, read the file in order
 * again for its message, or keep the error of the earliest range and correct its row with `addRecordsBefore`.
 */
import type { CsvDelimiter } from "./coder.ts";

/** Where in the grammar a byte falls, told by the bytes before it. */
export const RECORD_START = 0;
export const FIELD_START = 1;
export const UNQUOTED = 2;
export const QUOTED = 3;
/** After a quote in a quoted field: another one doubles it, anything else means that the field has ended. */
export const AFTER_QUOTE = 4;
export type QuoteState = 0 | 1 | 2 | 3 | 4;

const LF = 10;
const QUOTE = 34;

/**
 * State after some bytes that begin in a state. The first range of a file begins after its header, in RECORD_START.
 * Time O(bytes), allocates nothing.
 */
export function quoteStateAfter(bytes: Uint8Array, state: QuoteState, delimiter: CsvDelimiter = ","): QuoteState {
  const end = bytes.length;
  if (end === 0) return state;
  const code = delimiter.charCodeAt(0);
  let isQuoted = state === QUOTED;
  let i = 0;
  if (state !== QUOTED && bytes[0] === QUOTE) {
    isQuoted = state !== UNQUOTED;
    i = 1;
  }
  if (!isQuoted && bytes.indexOf(QUOTE, i) < 0) return unquotedEnd(bytes, code);
  for (; i < end; i++) {
    if (bytes[i] !== QUOTE) continue;
    if (!isQuoted) {
      // A quote opens a field only at its start; elsewhere it is an ordinary character.
      const before = i === 0 ? -1 : bytes[i - 1];
      isQuoted = before === code || before === LF;
    } else if (i + 1 === end) {
      return AFTER_QUOTE;
    } else if (bytes[i + 1] === QUOTE) {
      i++;
    } else {
      isQuoted = false;
    }
  }
  return isQuoted ? QUOTED : unquotedEnd(bytes, code);
}

/** State after bytes that do not end in a quoted field. */
function unquotedEnd(bytes: Uint8Array, delimiter: number): QuoteState {
  const last = bytes[bytes.length - 1];
  return last === LF ? RECORD_START : last === delimiter ? FIELD_START : UNQUOTED;
}

/** [state before] state after some bytes: what they do to any state, so that ranges may be passed in any order. */
export function quoteTransitions(bytes: Uint8Array, delimiter: CsvDelimiter = ","): readonly QuoteState[] {
  const states = [RECORD_START, FIELD_START, UNQUOTED, QUOTED, AFTER_QUOTE] as const;
  return states.map((state) => quoteStateAfter(bytes, state, delimiter));
}

/**
 * Offset of the first record that begins in the bytes, -1 when none does.
 * @param state state in which the bytes begin
 */
export function firstRecordStart(bytes: Uint8Array, state: QuoteState, delimiter: CsvDelimiter = ","): number {
  if (bytes.length === 0) return -1;
  if (state === RECORD_START) return 0;
  const end = recordEnd(bytes, state, delimiter, true);
  return end > 0 && end < bytes.length ? end : -1;
}

/**
 * Offset after the last line feed in the bytes that ends a record, 0 when there is none: where to cut so that the bytes
 * before are whole records, for a reader that passes all bytes in order anyway. The bytes after begin in RECORD_START.
 * @param state state in which the bytes begin
 */
export function lastRecordEnd(bytes: Uint8Array, state: QuoteState, delimiter: CsvDelimiter = ","): number {
  if (bytes.indexOf(QUOTE) < 0) return state === QUOTED ? 0 : bytes.lastIndexOf(LF) + 1;
  return recordEnd(bytes, state, delimiter, false);
}

/** Offset after the first or the last line feed that ends a record; 0 when there is none. */
function recordEnd(bytes: Uint8Array, state: QuoteState, delimiter: CsvDelimiter, wantsFirst: boolean): number {
  const code = delimiter.charCodeAt(0);
  let isQuoted = state === QUOTED;
  let mayOpen = state === RECORD_START || state === FIELD_START;
  let found = 0;
  let i = 0;
  if (state === AFTER_QUOTE && bytes[0] === QUOTE) {
    isQuoted = true;
    i = 1;
  }
  for (; i < bytes.length; i++) {
    const byte = bytes[i]!;
    if (isQuoted) {
      if (byte !== QUOTE) continue;
      if (bytes[i + 1] === QUOTE) i++;
      else isQuoted = false;
      mayOpen = false;
    } else if (byte === QUOTE) {
      isQuoted = mayOpen;
    } else {
      mayOpen = byte === code || byte === LF;
      if (byte === LF) {
        found = i + 1;
        if (wantsFirst) break;
      }
    }
  }
  return found;
}
