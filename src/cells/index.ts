export type { Cells, CodeMap, MeasureCells } from "./cells.ts";
export { cellBytes, memoryStore, type CellStore } from "./cell-store.ts";
export { boundContributions, countContributors } from "./contributors.ts";
export { decodeCells, encodeCells } from "./encode.ts";
export { addBatch, fold, folderFor, folderShape, foldWithDictionaries, type FoldColumn, type Folded, type FoldSpec } from "./fold.ts";
export { Folder, type FoldedNumbers, type FolderShape } from "./folder.ts";
export { merge, rollUp, type KeyChange } from "./roll-up.ts";
export { foldToStore, SpillingFolder, type SpillOptions } from "./spilled.ts";
export {
  addMargin, cellsOfPacked, hasNulls, isWide, marginsOf, maskOf, packedForm, packedLayout, sharedList, unpackKey, type PackedCells, type PackedField,
} from "./packed-cells.ts";
export { PackedFolder } from "./packed-folder.ts";
