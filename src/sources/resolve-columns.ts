import { closestName, DataError } from "../errors/index.ts";
import type { ColumnRequest } from "./source.ts";

/** A request with the place of its column in the source. */
export interface ResolvedRequest {
  readonly request: ColumnRequest;
  readonly index: number;
}

/**
 * Find the requested columns.
 * @throws DataError source/unknown-column or source/duplicate-column
 */
export function resolveColumns(names: readonly string[], requests: readonly ColumnRequest[]): ResolvedRequest[] {
  const places = new Map<string, number>();
  names.forEach((name, index) => places.set(name, index));
  if (places.size < names.length) {
    const twice = names.find((name, index) => places.get(name) !== index)!;
    throw new DataError("source/duplicate-column", `Column ${JSON.stringify(twice)} occurs more than once. Column ` +
      `names must differ; rename one of them.`, { column: twice });
  }
  return requests.map((request) => {
    const index = places.get(request.name);
    if (index === undefined) {
      const close = closestName(request.name, names);
      throw new DataError("source/unknown-column", `There is no column ${JSON.stringify(request.name)} in the data` +
        `${close === undefined ? "" : `; did you mean ${JSON.stringify(close)}?`} Name one of its ${names.length} ` +
        `columns.`,
        { column: request.name });
    }
    return { request, index };
  });
}
