/** A table in memory from CSV text without quotes. */
export function tableOf(csv: string): Record<string, string>[] {
  const [header, ...lines] = csv.trimEnd().split("\n").map((line) => line.split(","));
  return lines.map((line) => Object.fromEntries(header!.map((name, i) => [name, line[i] ?? ""])));
}
