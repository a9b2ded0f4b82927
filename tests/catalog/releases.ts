import type { FileRecord, ReleaseDescription } from "../../src/catalog/index.ts";

/** A release with everything that a description can say. */
export const FULL: ReleaseDescription = {
  name: "people",
  title: "People by county",
  description: "First paragraph.\n\nSecond one.",
  publisher: "Example Agency",
  contact: { name: "Open data team", email: "opendata@example.org" },
  license: "CC-BY-4.0",
  released: "2026-01-31",
  version: "1",
  keywords: ["county"],
  methods: ["Counts from 1 to 10 are not shown."],
  tables: [
    {
      name: "by-county",
      title: "By county",
      description: "Residents.",
      files: [{ path: "by-county.csv", format: "csv" }, { path: "by-county.arrow", format: "arrow" }],
      fields: [
        { name: "county", type: "string", label: "County", description: "County of residence." },
        { name: "count", type: "integer", description: "Number of people.", missing: "hidden; see count_annotation" },
        { name: "count_annotation", type: "integer", description: "Why.", categories: [{ value: "0", label: "shown" }, { value: "1", label: "hidden" }] },
      ],
    },
    {
      name: "by-sex",
      files: [{ path: "by-sex.csv", format: "csv" }],
      fields: [
        { name: "sex", type: "string", description: "Sex.", missing: "missing in the original data" },
        { name: "born", type: "date", description: "Day of birth." },
        { name: "sex_level", type: "string", description: "Level.", categories: [{ value: "0", label: "as in the data" }] },
      ],
    },
  ],
};

/** A release that says nothing it need not. */
export const SPARSE: ReleaseDescription = {
  name: "people", title: "people", license: "notspecified", keywords: [], methods: [],
  tables: [{ name: "people", files: [{ path: "people.csv", format: "csv" }], fields: [{ name: "sex", type: "string", description: "Sex." }] }],
};

export const FILES: ReadonlyMap<string, FileRecord> = new Map(
  ["by-county.csv", "by-county.arrow", "by-sex.csv", "people.csv"].map((path, i) => [path, { path, bytes: 10 + i, sha256: String(i).repeat(64) }]),
);
