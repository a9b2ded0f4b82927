import { basename } from "node:path";
import { assess, type Assessment } from "../../assess.ts";
import type { CommandContext } from "../command.ts";
import { openDataFile } from "../data-file.ts";
import { EXIT } from "../failure.ts";
import { count, counted, measure, percent } from "../numbers.ts";
import { printable, type Painter } from "../style.ts";
import { textTable } from "../text-table.ts";

export interface CheckOptions {
  readonly keys?: readonly string[];
  readonly k: number;
  readonly delimiter?: string;
}

export async function check(data: string, options: CheckOptions, { console, signal }: CommandContext): Promise<number> {
  const { source } = await openDataFile(data, options.delimiter, console);
  const found = await assess(source, { keys: options.keys, k: options.k, signal, onProgress: console.onProgress });
  const clean = found.classesAtRisk === 0;
  const { keys, ...measured } = found;
  // Names of columns are told only if they were given: a file without a header would show its first record.
  const named = options.keys === undefined ? {} : { keys };
  await console.result({ verdict: clean ? "clean" : "finding", ...named, keyCount: keys.length, ...measured }, () =>
    describeAssessment(basename(data), found, options.keys === undefined, console.paint));
  return clean ? EXIT.ok : EXIT.finding;
}

function describeAssessment(file: string, found: Assessment, everyColumn: boolean, paint: Painter): string[] {
  const { keys, k, records, classes } = found;
  const over = everyColumn
    ? `all ${counted(keys.length, "column")} as keys`
    : `${keys.length === 1 ? "key" : "keys"} ${keys.join(", ")}`;
  const share = (n: number): string => (records === 0 ? "" : percent(n / records));
  const lines = [
    paint("bold", printable(`${file}: ${counted(records, "record")}, ${over}`)),
    "",
    ...textTable(
      [{ title: "" }, { title: "", align: "right" }, { title: "", align: "right" }, { title: "" }],
      [
        ["equivalence classes", count(classes), "", ""],
        ["smallest class", count(found.smallestClass), "", counted(found.smallestClass, "record").replace(/^\S+ /, "")],
        ["uniques", count(found.uniques), share(found.uniques), "records alone in their class"],
        [
          "records at risk",
          count(found.recordsAtRisk),
          share(found.recordsAtRisk),
          `in ${counted(found.classesAtRisk, "class", "classes")} smaller than k = ${k}`,
        ],
        ["highest risk", measure(found.highestRisk), "", "1 / smallest class"],
        ["average risk", measure(found.averageRisk), "", "classes / records"],
      ],
    ),
  ];
  if (records > 0) lines.push("", ...histogram(found), "");
  else lines.push("");
  const least = counted(k, "record");
  if (found.classesAtRisk > 0) {
    const share = `${count(found.classesAtRisk)} of ${counted(classes, "class", "classes")}`;
    lines.push(`${paint("yellow", "FINDING")}  ${share} have fewer than ${least}.`);
  } else {
    const why = records === 0 ? "There are no records." : `Every class has at least ${least}.`;
    lines.push(`${paint("green", "CLEAN")}  ${why}`);
  }
  return lines;
}

const BAR_CHARACTERS = 30;

function sizesOf({ from, to }: { readonly from: number; readonly to: number }): string {
  if (to === Infinity) return `${count(from)} or more`;
  return from === to ? count(from) : `${count(from)} to ${count(to)}`;
}

/** Records by the size of their class. A bound at k keeps safe and unsafe classes apart. */
function histogram({ classSizes, records, k }: Assessment): string[] {
  const starts = [...new Set([1, 2, 3, 5, 11, 20, 50, 100, 1000, 10_000, 100_000, k])].sort((a, b) => a - b);
  const bins = starts.map((from, i) => ({ from, to: (starts[i + 1] ?? Infinity) - 1, classes: 0, records: 0 }));
  for (const { size, classes } of classSizes) {
    const bin = bins.findLast(({ from }) => from <= size)!;
    bin.classes += classes;
    bin.records += size * classes;
  }
  const first = bins.findIndex(({ classes }) => classes > 0);
  const last = bins.findLastIndex(({ classes }) => classes > 0);
  return textTable(
    [
      { title: "class size" },
      { title: "classes", align: "right" },
      { title: "records", align: "right" },
      { title: "share", align: "right" },
      { title: "" },
    ],
    bins.slice(first, last + 1).map((bin) => [
      sizesOf(bin),
      count(bin.classes),
      count(bin.records),
      percent(bin.records / records),
      bin.records === 0 ? "" : "#".repeat(Math.max(1, Math.round((bin.records / records) * BAR_CHARACTERS))),
    ]),
  );
}
