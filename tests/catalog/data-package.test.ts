/**
 * The rules of Data Package 2.0 and Table Schema 2.0 (datapackage.org) that a descriptor of ours can break, restated here
 * from the specification and checked without a network.
 */
import { describe, expect, test } from "vitest";
import { dataPackage } from "../../src/catalog/index.ts";
import { FILES, FULL, SPARSE } from "./releases.ts";

type Json = Record<string, unknown>;

const FIELD_TYPES = ["string", "number", "integer", "boolean", "object", "array", "list", "datetime", "date", "time", "year", "yearmonth", "duration", "geopoint", "geojson", "any"];

/** Every rule that is broken, by name. */
function problems(descriptor: Json): string[] {
  const found: string[] = [];
  const rule = (holds: boolean, name: string): void => void (holds || found.push(name));
  const isText = (value: unknown): boolean => typeof value === "string" && value !== "";
  const optionalText = (value: unknown, name: string): void => rule(value === undefined || isText(value), name);

  rule(descriptor["$schema"] === "https://datapackage.org/profiles/2.0/datapackage.json", "package $schema");
  rule(/^[a-z0-9._/-]+$/.test(String(descriptor["name"])), "package name is URL-usable");
  for (const key of ["title", "version", "image", "homepage"]) optionalText(descriptor[key], `package ${key}`);
  rule(descriptor["created"] === undefined || !Number.isNaN(Date.parse(String(descriptor["created"]))) && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(String(descriptor["created"])), "created is RFC 3339");
  rule(descriptor["keywords"] === undefined || (descriptor["keywords"] as unknown[]).length > 0, "keywords are not empty");
  const licenses = descriptor["licenses"] as Json[];
  rule(Array.isArray(licenses) && licenses.length > 0, "licenses");
  for (const license of licenses) rule(isText(license["name"]) || isText(license["path"]), "license has name or path");
  for (const person of (descriptor["contributors"] ?? []) as Json[]) {
    rule(isText(person["title"]), "contributor title");
    rule(Array.isArray(person["roles"]) && person["roles"].length > 0, "contributor roles");
    rule(person["email"] === undefined || /^[^@\s]+@[^@\s]+$/.test(String(person["email"])), "contributor email");
  }
  rule(descriptor["contributors"] === undefined || (descriptor["contributors"] as unknown[]).length > 0, "contributors are not empty");

  const resources = descriptor["resources"] as Json[];
  rule(Array.isArray(resources) && resources.length > 0, "resources");
  rule(new Set(resources.map(({ name }) => name)).size === resources.length, "resource names are unique");
  for (const resource of resources) {
    rule(isText(resource["name"]), "resource name");
    const path = String(resource["path"]);
    rule(resource["data"] === undefined && isText(resource["path"]), "resource has a path and no data");
    rule(!path.startsWith("/") && !path.split("/").includes("..") && !/^[a-z]+:/i.test(path), "path is relative and inside");
    rule(resource["type"] === "table", "resource type");
    rule(resource["bytes"] === undefined || Number.isSafeInteger(resource["bytes"]), "bytes");
    rule(resource["hash"] === undefined || /^sha256:[0-9a-f]{64}$/.test(String(resource["hash"])), "hash with its algorithm");
    const schema = resource["schema"] as Json;
    const fields = schema["fields"] as Json[];
    rule(schema["$schema"] === "https://datapackage.org/profiles/2.0/tableschema.json" && fields.length > 0, "table schema");
    rule(new Set(fields.map(({ name }) => name)).size === fields.length, "field names are unique");
    for (const field of fields) {
      rule(isText(field["name"]) && FIELD_TYPES.includes(String(field["type"])), "field name and type");
      for (const missing of (field["missingValues"] ?? []) as Json[]) rule(typeof missing["value"] === "string" && isText(missing["label"]), "missing values are texts");
      const categories = field["categories"] as Json[] | undefined;
      rule(categories === undefined || ["string", "integer"].includes(String(field["type"])), "categories of text or whole numbers only");
      const wanted = field["type"] === "integer" ? "number" : "string";
      for (const category of categories ?? []) rule(typeof category["value"] === wanted && isText(category["label"]), "categories have the field's type");
    }
  }
  return found;
}

describe("datapackage.json", () => {
  test.each([{ name: "full", release: FULL }, { name: "sparse", release: SPARSE }])("of the $name release keeps the rules", ({ release }) => {
    expect(problems(dataPackage(release, FILES) as Json)).toEqual([]);
  });

  test("the rules notice what is wrong", () => {
    const good = JSON.stringify(dataPackage(FULL, FILES));
    const broken: readonly [from: string, to: string, rule: string][] = [
      ['"name":"by-county-csv"', '"name":"by-sex"', "resource names are unique"],
      ['"path":"by-sex.csv"', '"path":"../by-sex.csv"', "path is relative and inside"],
      ['{"value":0,"label":"shown"}', '{"value":"0","label":"shown"}', "categories have the field's type"],
      ['"hash":"sha256:', '"hash":"', "hash with its algorithm"],
      ["T00:00:00Z", "", "created is RFC 3339"],
    ];
    for (const [from, to, rule] of broken) {
      expect(good).toContain(from);
      expect(problems(JSON.parse(good.replace(from, to)) as Json)).toEqual([rule]);
    }
  });

  test("one resource per file, with what a program needs to read it", () => {
    const { resources } = dataPackage(FULL, FILES) as { resources: Json[] };
    expect(resources.map(({ name, format, mediatype, bytes }) => ({ name, format, mediatype, bytes }))).toEqual([
      { name: "by-county-csv", format: "csv", mediatype: "text/csv", bytes: 10 },
      { name: "by-county-arrow", format: "arrow", mediatype: "application/vnd.apache.arrow.file", bytes: 11 },
      { name: "by-sex", format: "csv", mediatype: "text/csv", bytes: 12 },
    ]);
    expect(resources[0]).toMatchObject({ encoding: "utf-8", dialect: { delimiter: ",", lineTerminator: "\n" } });
    expect(resources[1]).not.toHaveProperty("dialect");
  });

  test("fields say when they are never blank, and what a blank means otherwise", () => {
    const { resources } = dataPackage(FULL, FILES) as { resources: { schema: { fields: Json[] } }[] };
    const [county, count] = resources[0]!.schema.fields;
    expect(county).toEqual({ name: "county", type: "string", title: "County", description: "County of residence.", constraints: { required: true } });
    expect(count).toMatchObject({ missingValues: [{ value: "", label: "hidden; see count_annotation" }] });
    expect(count).not.toHaveProperty("constraints");
  });

  test("a licence named like a property of objects is only a name", () => {
    expect(dataPackage({ ...SPARSE, license: "constructor" }, FILES)).toMatchObject({ licenses: [{ name: "constructor" }] });
  });
});
