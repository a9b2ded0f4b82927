export type { Cells, CodeMap, MeasureCells } from "./cells.ts";
export { addBatch, fold, folderFor, foldWithDictionaries, type FoldColumn, type Folded, type FoldSpec } from "./fold.ts";
export { Folder, type FoldedNumbers, type FolderShape } from "./folder.ts";
export { merge, rollUp, type KeyChange } from "./roll-up.ts";
