import type { SmallCellsPlan, SmallCellsRule } from "../../tables/small-cells/index.ts";

/** Share of cells below which a table says hardly anything. */
const FEW = 0.1;

/** What to tell of a pattern that leaves hardly a number to read; nothing where enough is shown. */
export function warnIfFewShown({ published, primary, complementary }: SmallCellsPlan["cells"], rule: SmallCellsRule): { readonly warnings?: readonly string[] } {
  const all = published + primary + complementary;
  if (all === 0 || published >= FEW * all) return {};
  const means = [
    "coarser categories or fewer dimensions",
    ...(complementary > primary ? [`an interval smaller than ${rule.interval}, if the requirements allow it`, "fewer margins"] : ["rules that hide fewer cells"]),
    ...(rule.zeros === "protect" ? ["zeros: publish"] : []),
  ];
  return { warnings: [`Only ${published} of ${all} cells are shown; ${primary} are hidden by a rule and ${complementary} to protect those. To show more: ${means.join(", ")}.`] };
}
