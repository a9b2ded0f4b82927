import { PolicyError } from "../errors/index.ts";

/**
 * Lines of a hierarchy file: CSV (RFC 4180) without header, one value a line, then what it becomes at each level. Strict:
 * no blank lines, the same number of fields in each line, quotes only around whole fields. A byte order mark is skipped.
 *
 * @throws PolicyError `hierarchy/bad-csv` with the line in which the trouble is (counted from 1).
 */
export function parseHierarchyCsv(text: string, delimiter = ","): string[][] {
  if (delimiter.length !== 1 || delimiter === '"' || delimiter === "\n" || delimiter === "\r") {
    throw new PolicyError("hierarchy/bad-csv", "The delimiter of a hierarchy file is one character, such as , or ;.");
  }
  const lines: string[][] = [];
  let at = text.startsWith("\uFEFF") ? 1 : 0;
  let lineNumber = 1;
  if (at === text.length) throw bad(1, "is empty; expected a value and what it becomes");

  while (at < text.length) {
    const firstLine = lineNumber;
    const fields: string[] = [];
    for (;;) {
      let field = "";
      if (text[at] === '"') {
        at++;
        for (;;) {
          const quote = text.indexOf('"', at);
          if (quote < 0) throw bad(firstLine, "opens a quote that is never closed");
          field += text.slice(at, quote);
          at = quote + 1;
          if (text[at] !== '"') break;
          field += '"';
          at++;
        }
        lineNumber += field.split("\n").length - 1;
        if (at < text.length && text[at] !== delimiter && lineEnd(text, at) === 0) {
          throw bad(lineNumber, "goes on after a closing quote");
        }
      } else {
        const start = at;
        while (at < text.length && text[at] !== delimiter && text[at] !== "\n" && text[at] !== "\r") {
          if (text[at] === '"') throw bad(lineNumber, "has a quote inside a field; put the whole field in quotes and double it");
          at++;
        }
        if (text[at] === "\r" && text[at + 1] !== "\n") throw bad(lineNumber, "has a carriage return without a line feed");
        field = text.slice(start, at);
      }
      fields.push(field);
      if (text[at] !== delimiter) break;
      at++;
    }
    at += lineEnd(text, at);

    if (fields.length === 1 && fields[0] === "") throw bad(firstLine, "is blank");
    const width = lines[0]?.length ?? fields.length;
    if (fields.length !== width) throw bad(firstLine, `has ${fields.length} fields; the first line has ${width}`);
    lines.push(fields);
    lineNumber++;
  }
  return lines;
}

/** Characters of the line end at a place: 1 for LF, 2 for CR LF, else 0. */
function lineEnd(text: string, at: number): number {
  if (text[at] === "\n") return 1;
  return text[at] === "\r" && text[at + 1] === "\n" ? 2 : 0;
}

function bad(line: number, problem: string): PolicyError {
  return new PolicyError("hierarchy/bad-csv", `Line ${line} of a hierarchy file ${problem}.`, { line });
}
