export type { FieldDescription, ReleaseDescription, TableDescription, TableFile } from "./description.ts";
export { dataPackage, type FileRecord } from "./data-package.ts";
export { dataDictionaryCsv } from "./data-dictionary.ts";
export { publicReadme } from "./public-readme.ts";
