/** The registry: a new method is one line in its list. */
import * as z from "zod";
import { NoisyCounts } from "../dp/noisy-counts/schema.ts";
import { KAnonymity } from "../microdata/k-anonymity/schema.ts";
import { CellSuppression } from "../tables/cell-suppression/schema.ts";
import { CellKey } from "../tables/cell-key/schema.ts";
import { Rounding } from "../tables/rounding/schema.ts";
import { SmallCountRounding } from "../tables/small-count-rounding/schema.ts";
import { TabularAdjustment } from "../tables/tabular-adjustment/schema.ts";
import { SmallCells } from "../tables/small-cells/schema.ts";

/** Methods that protect released records. */
export const MicrodataMethod = z.discriminatedUnion("method", [
  KAnonymity,
]);

/** Methods that protect released tables. */
export const TablesMethod = z.discriminatedUnion("method", [
  SmallCells,
  CellSuppression,
  NoisyCounts,
  Rounding,
  CellKey,
  SmallCountRounding,
  TabularAdjustment,
]);

export type MicrodataMethod = z.output<typeof MicrodataMethod>;
export type TablesMethod = z.output<typeof TablesMethod>;
export type MethodName = MicrodataMethod["method"] | TablesMethod["method"];
