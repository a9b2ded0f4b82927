import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { DataError } from "../../../src/errors/index.ts";
import { arrowSource } from "../../../src/sources/arrow/index.ts";
import { readSource, refusal } from "../read-source.ts";
import { expectedTexts, isReadable, readIntegrationFile } from "./integration-json.ts";

const FIXTURES = new URL("../../fixtures/arrow/", import.meta.url).pathname;
const CORPORA = new URL("../../../../shared/corpora/", import.meta.url).pathname;

/** Read every readable column right; refuse every other one by name. */
async function expectReadRight(path: string): Promise<void> {
  const expected = readIntegrationFile(readFileSync(path.replace(/\.(stream|arrow_file)$/, ".json.gz")));
  const source = arrowSource(readFileSync(path));
  const { fields } = expected.schema;
  expect((await source.columns()).map((column) => column.name)).toEqual(fields.map((field) => field.name));
  for (const [index, field] of fields.entries()) {
    if (!isReadable(field)) {
      expect((await refusal(() => readSource(source, [field.name]))).code).toBe("arrow/unsupported-type");
      continue;
    }
    const texts = expectedTexts(expected, index);
    const read = (await readSource(source, [field.name])).columns[field.name]!;
    if (field.type.name === "floatingpoint" && field.type.precision === "SINGLE") {
      // The JSON rounds to three decimals; both must be the same single.
      expect(read.map((text) => (text === null ? null : Math.fround(Number(text))))).toEqual(texts.map((text) => (text === null ? null : Math.fround(Number(text)))));
    } else if (field.type.name === "floatingpoint" && field.type.precision === "HALF") {
      read.forEach((text, i) => {
        if (texts[i] === null) expect(text).toBe(null);
        else expect(Math.abs(Number(text) - Number(texts[i]))).toBeLessThanOrEqual(Math.abs(Number(texts[i])) * 2 ** -11);
      });
    } else {
      expect(read).toEqual(texts);
    }
  }
}

const isArrow = (name: string): boolean => /\.(stream|arrow_file)$/.test(name);
const filesIn = (directory: string): string[] =>
  existsSync(directory) ? readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name)).sort() : [];

/** Data or a DataError, nothing else, soon. */
async function expectDataOrRefusal(bytes: Uint8Array): Promise<"data" | DataError> {
  const source = arrowSource(bytes);
  const started = performance.now();
  let outcome: "data" | DataError = "data";
  try {
    const columns = await source.columns();
    for (const { name } of columns) {
      for (const as of ["codes", "numbers"] as const) {
        const pass = await source.open({ columns: [{ name, as }] });
        try {
          for await (const _ of pass.batches);
          pass.fingerprint();
        } catch (error) {
          if (!(error instanceof DataError)) throw error;
          outcome = error;
        }
      }
    }
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    outcome = error;
  }
  expect(performance.now() - started).toBeLessThan(5000);
  return outcome;
}

test.each(filesIn(FIXTURES).filter(isArrow).map((path) => path.slice(FIXTURES.length)))("fixture %s is read right", (name) => expectReadRight(FIXTURES + name));

test.each(filesIn(`${FIXTURES}fuzz`).map((path) => path.slice(FIXTURES.length)))("fixture %s ends in data or a refusal", async (name) => {
  await expectDataOrRefusal(readFileSync(FIXTURES + name));
});

describe.skipIf(!existsSync(CORPORA))("arrow-testing", () => {
  const valid = filesIn(`${CORPORA}arrow-valid`).filter(isArrow);
  test.each(valid.map((path) => path.slice(CORPORA.length)))("%s is read right", (name) => expectReadRight(CORPORA + name));

  const fuzz = [...filesIn(`${CORPORA}arrow-ipc-file-fuzz`), ...filesIn(`${CORPORA}arrow-ipc-stream-fuzz`)];
  test.each(fuzz.map((path) => path.slice(CORPORA.length)))("%s ends in data or a refusal", async (name) => {
    await expectDataOrRefusal(readFileSync(CORPORA + name));
  });
});
