export { expandMargins, publishedLevels, TOTAL, type DimensionSpec, type MarginSpec, type TableSpec } from "./table-spec.ts";
export {
  LISTED_ROWS_LIMIT,
  tabulate,
  type DimensionPlaces,
  type PublishedTable,
  type TableSystem,
  type TabulateOptions,
} from "./tabulate.ts";
