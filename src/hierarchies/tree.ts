import { dictionaryText, type Dictionary } from "../columns/index.ts";
import { PolicyError } from "../errors/index.ts";
import { boundHierarchy, GroupCollector, refuseUnmapped, SUPPRESSED, type DraftLevel } from "./bound.ts";
import type { BoundHierarchy, Hierarchy } from "./hierarchy.ts";

export interface TreeOptions {
  /** Add a level in which every value is "*"; when left out, only where the last level holds more than one value. */
  readonly suppressAll?: boolean | undefined;
}

/**
 * An explicit tree: each line is a value, then what it becomes at level 1, 2, ... Share of a value: its lines over all lines,
 * whether or not the data hold them.
 *
 * @throws PolicyError `hierarchy/bad-tree` when there are no lines, they differ in length or a value has two;
 *         `hierarchy/levels-do-not-nest` when one value becomes two at the next level. Both name the line.
 */
export function treeHierarchy(lines: readonly (readonly string[])[], options: TreeOptions = {}): Hierarchy {
  const width = lines[0]?.length ?? 0;
  if (width === 0) throw new PolicyError("hierarchy/bad-tree", "A tree hierarchy needs at least one line with a value.");
  const lineOf = new Map<string, number>();
  lines.forEach((line, i) => {
    if (line.length !== width) {
      throw new PolicyError(
        "hierarchy/bad-tree", `Line ${i + 1} of a tree hierarchy has ${line.length} entries; line 1 has ${width}.`, { line: i + 1 },
      );
    }
    if (lineOf.has(line[0]!)) {
      throw new PolicyError(
        "hierarchy/bad-tree",
        `Line ${i + 1} of a tree hierarchy repeats the value of line ${lineOf.get(line[0]!)! + 1}; each value has one line.`,
        { line: i + 1 },
      );
    }
    lineOf.set(line[0]!, i);
  });

  // [levels above the values][lines] group, with the text and the lines of each group
  const levels = Array.from({ length: width - 1 }, (_, above) => {
    const groups = new GroupCollector<string>();
    const count: number[] = [];
    const groupOf = Int32Array.from(lines, (line) => {
      const label = line[above + 1]!;
      const group = groups.group(label, () => ({ label, leaves: 0 }));
      count[group] = (count[group] ?? 0) + 1;
      return group;
    });
    return { groupOf, labels: groups.labels, count };
  });
  for (let above = 1; above < levels.length; above++) {
    checkNested(levels[above - 1]!, levels[above]!, above + 1);
  }
  const last = levels.at(-1);
  const suppressed = last?.labels.length === 1 && last.labels[0] === SUPPRESSED;
  const single = last === undefined ? lines.length === 1 : last.labels.length === 1;
  const suppressAll = options.suppressAll === undefined ? !single : options.suppressAll && !suppressed;

  return {
    levels: width + (suppressAll ? 1 : 0),
    levelNames: [
      "values",
      ...levels.map(({ labels }, above) => {
        if (above === levels.length - 1 && suppressed) return "suppressed";
        return labels.length === 1 ? "1 group" : `${labels.length} groups`;
      }),
      ...(suppressAll ? ["suppressed"] : []),
    ],
    bind(dictionary: Dictionary, column: string): BoundHierarchy {
      const lineOfCode = new Int32Array(dictionary.size);
      let unmapped = 0;
      for (let code = 0; code < dictionary.size; code++) {
        const line = lineOf.get(dictionaryText(dictionary, code));
        if (line === undefined) unmapped++;
        else lineOfCode[code] = line;
      }
      refuseUnmapped(column, unmapped, dictionary.size, `the ${lines.length} values that it lists`);
      const drafts = levels.map((level): DraftLevel => {
        const groups = new GroupCollector<number>();
        const groupOf = lineOfCode.map((line) => {
          const group = level.groupOf[line]!;
          return groups.group(group, () => ({ label: level.labels[group]!, leaves: level.count[group]! }));
        });
        return { groupOf, labels: groups.labels, leaves: groups.leaves };
      });
      return boundHierarchy(column, dictionary, drafts, lines.length, suppressAll);
    },
  };
}

interface TreeLevel {
  readonly groupOf: Int32Array;
  readonly labels: readonly string[];
}

function checkNested(finer: TreeLevel, coarser: TreeLevel, level: number): void {
  const parent = new Int32Array(finer.labels.length).fill(-1);
  const firstLine = new Int32Array(finer.labels.length);
  for (let line = 0; line < finer.groupOf.length; line++) {
    const group = finer.groupOf[line]!;
    if (parent[group] === -1) {
      parent[group] = coarser.groupOf[line]!;
      firstLine[group] = line;
    } else if (parent[group] !== coarser.groupOf[line]) {
      throw new PolicyError(
        "hierarchy/levels-do-not-nest",
        `Lines ${firstLine[group]! + 1} and ${line + 1} of a tree hierarchy agree at level ${level - 1} and differ at level ${level}. `
          + "Give them different texts at the lower level, or the same at the higher.",
        { line: line + 1, level },
      );
    }
  }
}
