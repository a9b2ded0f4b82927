import { expect, test } from "vitest";
import { bytes, count, counted, duration, measure, percent } from "../../src/cli/numbers.ts";
import { ProgressDisplay, progressText } from "../../src/cli/progress-display.ts";
import { textTable } from "../../src/cli/text-table.ts";

test("numbers for people", () => {
  expect([0, 999, 1000, 30162, 1234567].map(count)).toEqual(["0", "999", "1,000", "30,162", "1,234,567"]);
  expect(
    [counted(1, "class", "classes"), counted(2, "class", "classes"), counted(0, "record")]
  ).toEqual(["1 class", "2 classes", "0 records"]);
  // What is not nothing never reads as nothing, and what is not all never as all.
  expect([0, 0.000001, 0.02692, 0.999999, 1].map(percent)).toEqual(["0 %", "< 0.01 %", "2.69 %", "> 99.99 %", "100 %"]);
  expect([0, 0.041179, 1, 12345.6].map(measure)).toEqual(["0", "0.04118", "1", "12350"]);
  expect([5, 1500, 45e6, 2.5e9].map(bytes)).toEqual(["5 B", "1.5 kB", "45 MB", "2.5 GB"]);
  expect([0.2, 59.1, 125].map(duration)).toEqual(["1 s", "1 min 00 s", "2 min 05 s"]);
});

test("tables line up", () => {
  expect(textTable([{ title: "name" }, { title: "n", align: "right" }], [["a", "10"], ["long name", "9"]])).toEqual([
    "  name        n",
    "  a          10",
    "  long name   9",
  ]);
});

function screen(isTTY: boolean): { isTTY: boolean; columns: number; text: string; write(text: string): void } {
  return { isTTY, columns: 60, text: "", write(text) { this.text += text; } };
}

test("a bar on a terminal: only for long work, not too often, and gone at the end", () => {
  let now = 0;
  const terminal = screen(true);
  const display = new ProgressDisplay(terminal, () => now);
  const at = (time: number, done: number): void => {
    now = time;
    display.show({ phase: "survey", done, total: 100e6, unit: "bytes" });
  };
  at(0, 0);
  at(400, 10e6);
  expect(terminal.text).toBe("");
  at(1000, 50e6);
  expect(terminal.text).toBe("\rReading     [############------------]   50 %  50 MB  50 MB\u001b[K");
  at(1050, 52e6);
  expect(terminal.text.split("\r").length).toBe(2);
  display.clear();
  expect(terminal.text.endsWith("\r\u001b[K")).toBe(true);
});

test("lines in a log, seconds apart, without steering characters", () => {
  let now = 0;
  const log = screen(false);
  const display = new ProgressDisplay(log, () => now);
  for (now = 0; now <= 11_000; now += 100) display.show(
    { phase: "apply", done: now * 10, total: 200_000, unit: "records" }
  );
  display.clear();
  expect(log.text).toBe(
    "Writing      25 %  50,000 records  10,000 records/s  15 s left\nWriting      50 %  100,000 records  10,000 records/s  10 s left\n"
  );
});

test("nothing when quiet, and no rate or end where they are not known", () => {
  new ProgressDisplay(undefined, () => 1e6).show({ phase: "plan", done: 0, unit: "steps" });
  expect(progressText({ phase: "plan", done: 0, unit: "steps" }, 3, true)).toBe("Deciding");
  expect(progressText({ phase: "survey", done: 5e6, unit: "bytes" }, 1, true)).toBe("Reading     5.0 MB  5.0 MB/s");
});
