/** Foreign tables whose answers are known: from papers, other programs' tests, and a state agency's guidelines. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { auditPublished, type AuditPublishedOptions, type PublishedAudit } from "../../../src/audit.ts";
import { tableOf } from "./tables.ts";

const EXAMPLES = fileURLToPath(new URL("../../../examples/audit/", import.meta.url));

function audit(csv: string, options: AuditPublishedOptions = {}): Promise<PublishedAudit> {
  return auditPublished({ name: "table", data: tableOf(csv) }, options);
}

const falling = ({ blankCells }: PublishedAudit): string[] =>
  blankCells.filter(({ verdict }) => verdict === "falls" || verdict === "unproven").map(({ name, min, max }) => `${name}: ${min}..${max}`);

describe("sdcTable, test-simpleheuristic.R: four by four", () => {
  const text = readFileSync(join(EXAMPLES, "attack-4x4.csv"), "utf8");
  const options = { zeros: "protect", interval: 2 } as const;

  test("w, b follows from four sums; everything else holds", async () => {
    const found = await audit(text, options);
    expect(falling(found)).toEqual(["w, b: 47..47"]);
    const how = found.blankCells.find(({ name }) => name === "w, b")!.how;
    expect(how[0]).toBe("w, b = 47, by 4 sums together");
    expect(how).toContain("add: w, a + w, b + w, c = w, Total 230 - w, d 89 = 141");
    expect(how).toContain("take away: w, a + x, a = Total, a 1012 - y, a 92 - z, a 800 = 120");
  });

  // Bounds of w, b after one more cell is hidden, derived again from the numbers by an independent linear program.
  test.each([
    ["x", "d", 78], ["w", "d", 136], ["x", "b", 141], ["y", "a", 141], ["z", "a", 141], ["y", "c", 116], ["z", "c", 116],
  ] as const)("hiding %s, %s as well leaves 0 to %i", async (row, column, upper) => {
    const at = "abcd".indexOf(column) + 1;
    const more = text.split("\n").map((line) => {
      const fields = line.split(",");
      if (fields[0] === row) fields[at] = "*";
      return fields.join(",");
    }).join("\n");
    const found = await audit(more, options);
    const cell = found.blankCells.find(({ name }) => name === "w, b")!;
    expect([cell.min, cell.max, cell.exact, cell.verdict]).toEqual([0, upper, true, "safe"]);
  });
});

describe("sdcTable, test-linked-tables.r", () => {
  const files = ["linked-counties.csv", "linked-sizes.csv"].map((name) => join(EXAMPLES, name));
  const options = { structure: join(EXAMPLES, "linked.yaml"), threshold: 4, interval: 2 };

  test("each table alone is safe, both together are not", async () => {
    expect(falling(await auditPublished(files[0]!, options))).toEqual([]);
    expect(falling(await auditPublished(files[1]!, options))).toEqual([]);
    const both = await auditPublished(files, options);
    expect(falling(both)).toEqual(["K: 3..3"]);
    expect(both.blankCells.find(({ name }) => name === "K")!.how).toEqual([
      "K = 3, by 2 sums together", "add: K + L + M = county-2 16 - N 7 = 9", "take away: L + M = big 6 = 6",
    ]);
  });

  test("the answer of that test, region N hidden in both, is safe", async () => {
    const hidden = files.map((file, i) => ({ name: `t${i}`, data: tableOf(readFileSync(file, "utf8").replace("N,7", "N,*")) }));
    const found = await auditPublished(hidden, { ...options });
    expect(found.verdict).toBe("clean");
    expect(found.blank).toBe(6);
  });
});

describe("CalHHS guidelines, edition 2.0, section 4.4", () => {
  const table = (cells: readonly string[], total: number): string =>
    ["group,count", ...cells.map((cell, i) => `g${"ABCDEFGH"[i]},${cell}`), `Total,${total}`].join("\n");

  test("three tens with a known reason are recovered exactly", async () => {
    const found = await audit(table(["<11", "14", "<11", "<11", "0", "0", "0", "30"], 74));
    expect(falling(found)).toEqual(["gA: 10..10", "gC: 10..10", "gD: 10..10"]);
    expect(found.threshold).toBe(11);
  });

  test("10 and 9 leave two solutions", async () => {
    expect(falling(await audit(table(["<11", "14", "<11", "17", "0", "0", "0", "30"], 80)))).toEqual(["gA: 9..10", "gC: 9..10"]);
  });

  test("1 and 11 are recovered when the reasons are told, and hold when they are not", async () => {
    const csv = ["group,count,count_annotation", "a,14,0", "b,14,0", "c,,1", "d,,2", "e,0,0", "h,30,0", "Total,70,0"].join("\n");
    const told = await audit(csv);
    expect(told.codes).toBe("separate");
    expect(falling(told)).toEqual(["c: 1..1", "d: 11..11"]);
    expect(told.findings.find(({ kind }) => kind === "reasons-told")?.text).toContain("0 cells would fall instead of 2");
    expect((await audit(csv, { codes: "merged" })).verdict).toBe("clean");
    expect(falling(await audit(csv.replaceAll(",,1", ",S,").replaceAll(",,2", ",C,")))).toEqual(["c: 1..1", "d: 11..11"]);
  });
});

describe("formats of other programs", () => {
  test("GaussSuppression: columns primary and suppressed, values blanked", async () => {
    const csv = [
      "region,sex,freq,primary,suppressed", "A,F,,TRUE,TRUE", "A,M,12,FALSE,FALSE", "A,Total,15,FALSE,FALSE", "B,F,,FALSE,TRUE",
      "B,M,28,FALSE,FALSE", "B,Total,58,FALSE,FALSE", "Total,F,33,FALSE,FALSE", "Total,M,40,FALSE,FALSE", "Total,Total,73,FALSE,FALSE",
    ].join("\n");
    const found = await audit(csv);
    expect(found.codes).toBe("separate");
    expect(falling(found)).toEqual(["A, F: 3..3", "B, F: 30..30"]);
    expect(found.blankCells[0]!.how).toEqual(["A, F = A, Total 15 - A, M 12 = 3"]);
  });

  test("a working file that keeps the numbers beside the marks", async () => {
    const csv = ["region,sex,freq,suppressed", "A,F,3,TRUE", "A,M,12,FALSE", "A,Total,15,FALSE", "B,F,30,FALSE", "B,M,28,FALSE", "B,Total,58,FALSE"].join("\n");
    const printed = await audit(csv);
    expect(printed.findings.map(({ kind }) => kind)).toEqual(["marked-but-shown", "small-count-shown"]);
    expect(falling(await audit(csv, { hideMarked: true }))).toEqual(["A, F: 3..3"]);
  });

  test("tau-argus: amounts with a status, complete and with one secondary missing", async () => {
    // Pattern of the rtauargus README: 02/tr1 and 06/tr2 sensitive, 02/tr2 and 06/tr1 secondary.
    const lines = [
      "ACTIVITY,SIZE,VAL,Status", "01,tr1,100,V", "01,tr2,50,V", "01,Total,150,V", "02,tr1,,A", "02,tr2,,D", "02,Total,50,V", "06,tr1,,D", "06,tr2,,B",
      "06,Total,100,V", "Total,tr1,190,V", "Total,tr2,110,V", "Total,Total,300,V",
    ];
    const structure = { measures: { VAL: { kind: "amount" } } } as const;
    const whole = await audit(lines.join("\n"), { structure });
    expect(whole.verdict).toBe("clean");
    expect(whole.blankCells.map(({ min, max }) => [min, max])).toEqual([[0, 50], [0, 50], [40, 90], [10, 60]]);
    const missing = await audit(lines.join("\n").replace("06,tr1,,D", "06,tr1,60,V"), { structure });
    expect(falling(missing)).toEqual(["ACTIVITY 02, tr1: 30..30", "ACTIVITY 02, tr2: 20..20", "ACTIVITY 06, tr2: 40..40"]);
  });

  test("released tables of commensurate: (total), a blank count and one code", async () => {
    const csv = ["county,sex,count,count_annotation", "(total),(total),80,0", "A,(total),40,0", "A,f,,1", "A,m,,1", "B,(total),40,0", "B,f,,1", "B,m,,1", "(total),f,42,0", "(total),m,38,0"].join("\n");
    const found = await audit(csv);
    expect([found.verdict, found.codes, found.blank]).toEqual(["clean", "merged", 4]);
  });
});
