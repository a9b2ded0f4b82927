export { cellsAbove, isWithin, placesName } from "./adding.ts";
export {
  expandMargins, FIRST_GROUPING, groupingLevels, publishedLevels, TOTAL, type DimensionSpec, type GroupingSpec, type GroupSpec, type MarginSpec,
  type TableSpec,
} from "./table-spec.ts";
export {
  LISTED_ROWS_LIMIT,
  placeLabel,
  sumOverInner,
  tabulate,
  type DimensionPlaces,
  type GroupPlace,
  type PublishedTable,
  type TableSystem,
  type TabulateOptions,
} from "./tabulate.ts";
export { findTwins, type Twins } from "./twins.ts";
