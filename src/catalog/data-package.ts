import { MEDIA_TYPES, type FieldDescription, type ReleaseDescription, type TableFile } from "./description.ts";

/** Size and hash of a published file. */
export interface FileRecord {
  readonly path: string;
  readonly bytes: number;
  /** Lower-case hexadecimal SHA-256 of the file. */
  readonly sha256: string;
}

const LICENSES: Readonly<Record<string, { name: string; title: string; path?: string }>> = {
  "other-pd": { name: "other-pd", title: "Public Domain" },
  "CC0-1.0": { name: "CC0-1.0", title: "Creative Commons Zero 1.0", path: "https://creativecommons.org/publicdomain/zero/1.0/" },
  "CC-BY-4.0": { name: "CC-BY-4.0", title: "Creative Commons Attribution 4.0", path: "https://creativecommons.org/licenses/by/4.0/" },
  "PDDL-1.0": { name: "PDDL-1.0", title: "Open Data Commons Public Domain Dedication and License 1.0" },
  "ODC-By-1.0": { name: "ODC-By-1.0", title: "Open Data Commons Attribution License 1.0" },
  "ODbL-1.0": { name: "ODbL-1.0", title: "Open Data Commons Open Database License 1.0" },
};

/**
 * `datapackage.json` of a release: Data Package v2 with one resource per file.
 * Source: datapackage.org, Data Package and Table Schema, version 2.0.
 */
export function dataPackage(release: ReleaseDescription, files: ReadonlyMap<string, FileRecord>): object {
  return {
    $schema: "https://datapackage.org/profiles/2.0/datapackage.json",
    name: release.name,
    title: release.title,
    ...optional("description", release.description),
    ...optional("version", release.version),
    ...optional("created", release.released === undefined ? undefined : `${release.released}T00:00:00Z`),
    ...(release.keywords.length > 0 ? { keywords: release.keywords } : {}),
    licenses: [Object.hasOwn(LICENSES, release.license) ? LICENSES[release.license]! : { name: release.license }],
    ...contributors(release),
    ...(release.described === undefined ? {} : { commensurate: release.described }),
    resources: release.tables.flatMap((table) =>
      dataFiles(table.files).map((file) => {
        const record = files.get(file.path);
        const several = dataFiles(table.files).length > 1;
        return {
          name: several ? `${table.name}-${file.format}` : table.name,
          type: "table",
          path: file.path,
          ...optional("title", table.title),
          ...optional("description", table.description),
          format: file.format,
          mediatype: MEDIA_TYPES[file.format],
          ...(file.format === "csv" ? { encoding: "utf-8", dialect: { delimiter: ",", lineTerminator: "\n" } } : {}),
          ...(record === undefined ? {} : { bytes: record.bytes, hash: `sha256:${record.sha256}` }),
          schema: {
            $schema: "https://datapackage.org/profiles/2.0/tableschema.json",
            fields: table.fields.map(tableSchemaField),
          },
        };
      }),
    ),
  };
}

type DataFile = TableFile & { readonly format: keyof typeof MEDIA_TYPES };

function dataFiles(files: readonly TableFile[]): DataFile[] {
  return files.filter((file): file is DataFile => Object.hasOwn(MEDIA_TYPES, file.format));
}

function tableSchemaField(field: FieldDescription): object {
  return {
    name: field.name,
    type: field.type,
    ...optional("title", field.label),
    description: field.description,
    ...(field.missing === undefined ? { constraints: { required: true } } : { missingValues: [{ value: "", label: field.missing }] }),
    ...(field.categories === undefined ? {} : { categories: field.categories.map(({ value, label }) => ({ value: typed(field, value), label })) }),
  };
}

/** Categories of whole numbers are numbers in a table schema, text elsewhere. */
function typed({ type }: FieldDescription, value: string): string | number {
  return type === "integer" ? Number(value) : value;
}

function contributors(release: ReleaseDescription): object {
  const list: object[] = [];
  if (release.publisher !== undefined) list.push({ title: release.publisher, roles: ["publisher"] });
  const { contact } = release;
  if (contact !== undefined && (contact.name !== undefined || contact.email !== undefined)) {
    list.push({ title: contact.name ?? contact.email, ...optional("email", contact.email), roles: ["contact"] });
  }
  return list.length > 0 ? { contributors: list } : {};
}

function optional(key: string, value: string | undefined): object {
  return value === undefined ? {} : { [key]: value };
}
