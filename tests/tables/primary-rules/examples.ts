import type { TableSystem } from "../../../src/tables/tabulate/index.ts";
import { tabulate, type TableSpec } from "../../../src/tables/tabulate/index.ts";
import { evaluateRules, type Contributions, type PrimaryOutcome, type RuleInput } from "../../../src/tables/primary-rules/index.ts";
import { PrimaryRules, type PrimaryRulesInput } from "../../../src/tables/primary-rules/schema.ts";
import { cube, example, rowName, type Example } from "../helpers.ts";

/** A record of a small example: a text for each key, and who contributes what. */
export interface Unit {
  readonly at: readonly string[];
  readonly value?: number;
  readonly weight?: number;
  /** Default: every record is its own contributor. */
  readonly by?: string;
  readonly holding?: string;
  readonly asked?: boolean;
}

export interface RuleExample extends Example {
  readonly system: TableSystem;
  readonly contributions: Contributions;
  readonly input: RuleInput;
}

export interface RuleExampleOptions {
  readonly zeros?: "publish" | "protect";
  readonly groups?: Parameters<typeof example>[2];
  readonly specs?: readonly TableSpec[];
  /** Name of the measure. Default: value. */
  readonly measure?: string;
}

/** Tables and contributions over the same records; without `specs` one cube over all keys with all margins. */
export function ruleExample(keys: readonly string[], units: readonly Unit[], options: RuleExampleOptions = {}): RuleExample {
  const made = example(keys, units.map(({ at }) => [...at, 1]), options.groups ?? {});
  const whole = tabulate(made.cells, made.hierarchies, [cube("whole", keys)], { zeros: options.zeros ?? "publish" });
  const system = options.specs === undefined ? whole : tabulate(made.cells, made.hierarchies, options.specs, { zeros: options.zeros ?? "publish" });
  if (system.inner !== whole.inner) throw new Error("An example's tables must show every key at its finest level.");

  const innerOf = new Map<string, number>();
  const [table] = whole.tables;
  for (let row = 0; row < table!.rows; row++) {
    const cell = table!.cell[row]!;
    if (cell >= 0 && table!.level.every((level) => level[row] === 0)) innerOf.set(rowName(made, whole, 0, row), whole.rows[whole.starts[cell]!]!);
  }
  const names = new Map<string, number>();
  const holdings = new Map<string, number>();
  const number = (map: Map<string, number>, name: string) => map.get(name) ?? map.set(name, map.size).get(name)!;
  const contributor = units.map(({ by }, i) => number(names, by === undefined ? `#${i}` : `=${by}`));
  const holding = new Int32Array(names.size);
  const requested = new Uint8Array(names.size);
  units.forEach((unit, i) => {
    holding[contributor[i]!] = number(holdings, unit.holding ?? `#${contributor[i]!}`);
    if (unit.asked === true) requested[contributor[i]!] = 1;
  });
  const contributions: Contributions = {
    entries: units.length,
    inner: Int32Array.from(units, ({ at }) => innerOf.get(at.join("/"))!),
    contributor: Int32Array.from(contributor),
    contributors: names.size,
    ...(units.some((unit) => unit.holding !== undefined) ? { holding } : {}),
    records: new Float64Array(units.length).fill(1),
    ...(units.some(({ weight }) => weight !== undefined) ? { weight: Float64Array.from(units, ({ weight }) => weight ?? 1) } : {}),
    ...(units.some(({ value }) => value !== undefined) ? { value: Float64Array.from(units, ({ value }) => value ?? 0) } : {}),
    requested,
  };
  const input: RuleInput = {
    system,
    contributors: contributions,
    measures: new Map([[options.measure ?? "value", contributions]]),
    hierarchies: made.hierarchies,
  };
  return { ...made, system, contributions, input };
}

export function outcomeOf(given: RuleExample, rules: PrimaryRulesInput, numbers?: Readonly<Record<string, readonly number[]>>): PrimaryOutcome {
  const input =
    numbers === undefined
      ? given.input
      : { ...given.input, numbers: new Map(Object.entries(numbers).map(([name, values]) => [name, Float64Array.from(values)])) };
  return evaluateRules(input, PrimaryRules.parse(rules));
}

/** Rows of a table whose cell satisfies the condition, in the table's order. */
export function rowsWhere(given: RuleExample, holds: (cell: number) => boolean, table = 0): string[] {
  const { rows, cell } = given.system.tables[table]!;
  return Array.from({ length: rows }, (_, row) => row)
    .filter((row) => cell[row]! >= 0 && holds(cell[row]!))
    .map((row) => rowName(given, given.system, table, row));
}

export function primaryRows(given: RuleExample, rules: PrimaryRulesInput, numbers?: Readonly<Record<string, readonly number[]>>): string[] {
  const { primary } = outcomeOf(given, rules, numbers);
  return rowsWhere(given, (c) => primary[c] === 1);
}

/** Cell of a row by its name, such as "A/Total". */
export function cellOf(given: RuleExample, name: string, table = 0): number {
  const { rows, cell } = given.system.tables[table]!;
  for (let row = 0; row < rows; row++) if (rowName(given, given.system, table, row) === name) return cell[row]!;
  throw new Error(`No row ${name}.`);
}
