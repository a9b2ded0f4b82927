import * as util from "node:util";

type Style = "bold" | "dim" | "red" | "green" | "yellow";

/** Colours for one stream: on a terminal that wants them, plain text everywhere else. */
export interface Painter {
  (style: Style, text: string): string;
}

export function painterFor(stream: { readonly isTTY?: boolean | undefined }): Painter {
  const { NO_COLOR, TERM } = process.env;
  const wanted = stream.isTTY === true && (NO_COLOR === undefined || NO_COLOR === "") && TERM !== "dumb";
  // The first releases of Node 20 do not have styleText yet.
  if (!wanted || typeof util.styleText !== "function") return (_, text) => text;
  return (style, text) => util.styleText(style, text);
}

/**
 * Characters that steer a terminal or reorder text: C0 but tab and line feed, DEL, C1, line separators, marks and
 * overrides of direction, byte order mark.
 */
// oxlint-disable-next-line no-control-regex
const STEERING = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** Text from outside (names, messages, paths) made safe to print. */
export function printable(text: string): string {
  return text.replace(STEERING, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
