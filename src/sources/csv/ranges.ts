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
export const QUOTE = 34;
const ONES = 0x01010101;
const LOWS = 0x7f7f7f7f;
const HIGHS = 0x80808080 | 0;
const QUOTES = 0x22222222;
const LINE_FEEDS = 0x0a0a0a0a;

/**
 * State after some bytes that begin in a state. The first range of a file begins after its header, in RECORD_START.
 * Time O(bytes), at memory speed where there are no quotes. Allocates nothing.
 *
 * @param hasQuotes whether there is a quote among the bytes, where the caller knows a faster way to find out
 */
export function quoteStateAfter(
  bytes: Uint8Array, state: QuoteState, delimiter: CsvDelimiter = ",", hasQuotes = bytes.includes(QUOTE),
): QuoteState {
  const end = bytes.length;
  const code = delimiter.charCodeAt(0);
  if (end === 0) return state;
  if (state !== QUOTED && !hasQuotes) return nextState(UNQUOTED, bytes[end - 1]!, code);

  const head = Math.min(end, 4);
  const before = stateByBytes(bytes, 0, head, state, code);
  const tail = end - ((end - head) % 8);
  // A quote that is an ordinary character may stand right before the words, which would take the next one for its double.
  const isOrdinary = before === UNQUOTED && bytes[head - 1] === QUOTE;
  const isQuoted = tail > head && !isOrdinary ? isQuotedAfterWords(bytes, head, tail, before, code) : undefined;
  if (isQuoted === undefined) return stateByBytes(bytes, head, end, before, code);
  const last = bytes[tail - 1]!;
  const reached = isQuoted ? QUOTED : last === QUOTE ? AFTER_QUOTE : nextState(UNQUOTED, last, code);
  return stateByBytes(bytes, tail, end, reached, code);
}

/** The grammar of quotes: what one byte does to a state. */
function nextState(state: QuoteState, byte: number, delimiter: number): QuoteState {
  if (state === QUOTED) return byte === QUOTE ? AFTER_QUOTE : QUOTED;
  if (byte === QUOTE && state !== UNQUOTED) return QUOTED;
  return byte === LF ? RECORD_START : byte === delimiter ? FIELD_START : UNQUOTED;
}

function stateByBytes(bytes: Uint8Array, start: number, end: number, state: QuoteState, delimiter: number): QuoteState {
  let reached = state;
  for (let i = start; i < end; i++) reached = nextState(reached, bytes[i]!, delimiter);
  return reached;
}

/**
 * Whether bytes[start..end), a multiple of eight and start at least four, end in a quoted field. Where a quote only ever
 * opens, closes or is doubled, that is a matter of odd or even; a doubled quote counts as closing and opening again. This
 * is exact as long as each opening quote follows a delimiter, a line feed or a quote.
 * @returns undefined when one does not, so that some quote is an ordinary character
 */
function isQuotedAfterWords(
  bytes: Uint8Array,
  start: number,
  end: number,
  state: QuoteState,
  delimiter: number,
): boolean | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const delimiters = Math.imul(delimiter, ONES);
  let inside = state === QUOTED ? HIGHS : 0; // all four top bits or none
  let ordinary = 0;
  for (let i = start; i < end; i += 8) {
    // Top bit of each byte that is a quote, exactly.
    const a = view.getInt32(i, true) ^ QUOTES;
    const b = view.getInt32(i + 4, true) ^ QUOTES;
    const first = ~(((a & LOWS) + LOWS) | a) & HIGHS;
    const second = ~(((b & LOWS) + LOWS) | b) & HIGHS;
    if ((first | second) === 0) continue;

    // Odd or even of the quotes up to and including each byte: a running exclusive or, within the word and across.
    let parity = first ^ (first << 8);
    parity ^= parity << 16;
    ordinary |= first & ~(parity ^ first ^ inside) & ~mayPrecedeQuote(view.getInt32(i - 1, true), delimiters);
    inside ^= (parity >> 31) & HIGHS;
    parity = second ^ (second << 8);
    parity ^= parity << 16;
    ordinary |= second & ~(parity ^ second ^ inside) & ~mayPrecedeQuote(view.getInt32(i + 3, true), delimiters);
    inside ^= (parity >> 31) & HIGHS;
  }
  return ordinary === 0 ? inside !== 0 : undefined;
}

/** Top bit of each byte after which a quote opens a field or doubles another; see isQuotedAfterWords. */
function mayPrecedeQuote(word: number, delimiters: number): number {
  const a = word ^ QUOTES;
  const b = word ^ delimiters;
  const c = word ^ LINE_FEEDS;
  return ~((((a & LOWS) + LOWS) | a) & (((b & LOWS) + LOWS) | b) & (((c & LOWS) + LOWS) | c)) & HIGHS;
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
  const code = delimiter.charCodeAt(0);
  let reached = state;
  for (let i = 0; i < bytes.length; i++) {
    if (reached === RECORD_START) return i;
    reached = nextState(reached, bytes[i]!, code);
  }
  return -1;
}
