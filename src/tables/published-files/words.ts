import { TOTAL, type Categories } from "./categories.ts";
import type { Equation } from "./equations.ts";
import type { combine, Propagation, Step } from "./explain.ts";
import type { Measure, PublishedCell, PublishedRatio } from "./published-cells.ts";

/** A sum with more terms than this is told with its shown numbers taken together. */
const MOST_TERMS = 8;
const MOST_LINES = 12;

export interface WordsInput {
  readonly dimensions: readonly Categories[];
  readonly measures: readonly Measure[];
  readonly cells: readonly PublishedCell[];
  readonly equations: readonly Equation[];
  readonly ratios: readonly PublishedRatio[];
  /** [cells] in units, NaN where blank. */
  readonly value: Float64Array;
  /** [cells] what was known before any sum. */
  readonly lower: Float64Array;
  readonly upper: Float64Array;
}

/** Says in words how cells follow from others. Names of categories are published, so they may be told. */
export class Words {
  readonly #in: WordsInput;

  constructor(input: WordsInput) {
    this.#in = input;
  }

  /** "A, male"; totals are told only along dimensions that the cells beside it divide. */
  name(cell: number, along: readonly number[] = []): string {
    const { dimensions, measures, cells } = this.#in;
    const { places, measure } = cells[cell]!;
    const parts: string[] = [];
    dimensions.forEach((dimension, d) => {
      const place = places[d]!;
      if (place === TOTAL && !along.includes(d)) return;
      const label = dimension.labels[place]!;
      parts.push(/^[\d.,\s-]+$/.test(label) ? `${dimension.name} ${label}` : label);
    });
    const name = parts.length === 0 ? "Total" : parts.join(", ");
    return measures.length > 1 ? `${measures[measure]!.name} of ${name}` : name;
  }

  /** A number of units as it would be printed. */
  number(cell: number, units: number): string {
    const { decimals } = this.#in.measures[this.#in.cells[cell]!.measure]!;
    return decimals === 0 || !Number.isFinite(units) ? String(units) : (units / 10 ** decimals).toFixed(decimals);
  }

  range(cell: number, min: number, max: number): string {
    if (Number.isNaN(min) || Number.isNaN(max)) return "not bounded by the audit";
    if (min === max) return this.number(cell, min);
    if (max === Infinity) return min === -Infinity ? "anything" : `${this.number(cell, min)} or more`;
    if (min === -Infinity) return `${this.number(cell, max)} or less`;
    return `${this.number(cell, min)} to ${this.number(cell, max)}`;
  }

  /** One line for each sum that an attacker writes down. */
  chain(steps: readonly Step[]): string[] {
    const { equations } = this.#in;
    const known = new Map<number, readonly [number, number]>();
    // Two sides of one printed ratio bound a cell one after the other; the second says it all.
    const told = steps.map((step, i) => {
      const next = steps[i + 1];
      const ratio = equations[step.equation]!.ratio;
      return next === undefined || next.cell !== step.cell || ratio === undefined || equations[next.equation]!.ratio !== ratio;
    });
    let before = Math.max(0, told.filter(Boolean).length - MOST_LINES);
    const lines = before > 0 ? [`(${before} sums before these)`] : [];
    steps.forEach((step, i) => {
      if (told[i] === true && before-- <= 0) lines.push(this.#step(step, known));
      known.set(step.cell, [step.lower, step.upper]);
    });
    return lines;
  }

  #step(step: Step, known: ReadonlyMap<number, readonly [number, number]>): string {
    const { equations, ratios, value } = this.#in;
    const equation = equations[step.equation]!;
    const along = this.#along(equation.cells);
    const result = this.range(step.cell, step.lower, step.upper);
    const term = (cell: number): string => `${this.name(cell, along)} ${this.#known(cell, known)}`;
    if (equation.kind === "ratio") {
      const { column, printed, decimals, scale, numerator, denominator, at } = ratios[equation.ratio!]!;
      const side = (cell: number): string => (cell === step.cell ? this.name(cell, along) : term(cell));
      return `${this.name(step.cell, along)} = ${result}, since ${column} shows ${(printed / 10 ** decimals).toFixed(decimals)} in row ${at.row}: ` +
        `${scale === 1 ? "" : `${scale} x `}${side(numerator)} / ${side(denominator)}`;
    }
    if (equation.kind === "within") {
      const other = equation.cells.find((cell) => cell !== step.cell)!;
      return `${this.name(step.cell, along)} = ${result}, within ${term(other)}`;
    }
    const own = equation.times[equation.cells.indexOf(step.cell)]!;
    const plus: [number, number][] = [];
    const minus: [number, number][] = [];
    equation.cells.forEach((cell, k) => {
      if (cell === step.cell || value[cell] === 0) return;
      const times = -equation.times[k]! / own;
      (times > 0 ? plus : minus).push([cell, Math.abs(times)]);
    });
    const right = this.#signed(plus, minus, term);
    return `${this.name(step.cell, along)} = ${right} = ${result}`;
  }

  /** Several sums taken together. */
  together(found: NonNullable<ReturnType<typeof combine>>, result: string): string[] {
    const { equations, value } = this.#in;
    const lines = found.equations.map(({ equation, times }) => {
      const { cells, times: own } = equations[equation]!;
      const along = this.#along(cells);
      const hidden: [number, number][] = [];
      const shown: [number, number][] = [];
      cells.forEach((cell, k) => value[cell] !== 0 && (Number.isNaN(value[cell]!) ? hidden : shown).push([cell, own[k]!]));
      // Hidden on the left with as few minus signs as can be, shown on the right.
      const sign = hidden.filter(([, t]) => t > 0).length * 2 >= hidden.length ? 1 : -1;
      const side = (terms: readonly [number, number][], wanted: number): [number, number][] =>
        terms.filter(([, t]) => t * wanted > 0).map(([cell, t]) => [cell, Math.abs(t)]);
      const sum = -sign * shown.reduce((total, [cell, t]) => total + t * value[cell]!, 0);
      const left = this.#signed(side(hidden, sign), side(hidden, -sign), (cell) => this.name(cell, along));
      const right = shown.length === 0 ? "" :
        `${this.#signed(side(shown, -sign), side(shown, sign), (cell) => `${this.name(cell, along)} ${this.number(cell, value[cell]!)}`)} = `;
      const factor = times * sign;
      return `${factor > 0 ? "add" : "take away"}${Math.abs(factor) === 1 ? "" : ` ${Math.abs(factor)} x`}: ${left} = ${right}${this.number(cells[0]!, sum)}`;
    });
    const told = lines.length <= MOST_LINES ? lines : [...lines.slice(0, MOST_LINES), `(and ${lines.length - MOST_LINES} sums more)`];
    return [`${result}${found.by === 1 ? "" : `, ${found.by} times over`}, by ${found.equations.length} sums together`, ...told];
  }

  /** "w, a + 2 x w, b" */
  combination(terms: Iterable<readonly [cell: number, times: number]>): string {
    const list = [...terms];
    const along = this.#along(list.map(([cell]) => cell));
    const part = (wanted: number): [number, number][] => list.filter(([, t]) => t * wanted > 0).map(([cell, t]) => [cell, Math.abs(t)]);
    return this.#signed(part(1), part(-1), (cell) => this.name(cell, along));
  }

  #known(cell: number, known: ReadonlyMap<number, readonly [number, number]>): string {
    const { value, lower, upper } = this.#in;
    if (!Number.isNaN(value[cell]!)) return this.number(cell, value[cell]!);
    const [from, to] = known.get(cell) ?? [lower[cell]!, upper[cell]!];
    return `(${this.range(cell, from, to)})`;
  }

  /** Dimensions along which the cells differ. */
  #along(cells: readonly number[]): number[] {
    const { dimensions, cells: all } = this.#in;
    const first = all[cells[0]!]!.places;
    return dimensions.map((_, d) => d).filter((d) => cells.some((cell) => all[cell]!.places[d] !== first[d]));
  }

  #signed(plus: readonly (readonly [number, number])[], minus: readonly (readonly [number, number])[], term: (cell: number) => string): string {
    const join = (terms: readonly (readonly [number, number])[], sign: string): string[] => {
      const texts = this.#few(terms, term);
      return texts.flatMap((text) => [sign, text]);
    };
    const all = [...join(plus, "+"), ...join(minus, "-")];
    if (all[0] === "+") all.shift();
    return all.length === 0 ? "0" : all.join(" ");
  }

  #few(terms: readonly (readonly [number, number])[], term: (cell: number) => string): string[] {
    const { value } = this.#in;
    const text = ([cell, times]: readonly [number, number]): string => (times === 1 ? term(cell) : `${times} x ${term(cell)}`);
    if (terms.length <= MOST_TERMS) return terms.map(text);
    const shown = terms.filter(([cell]) => !Number.isNaN(value[cell]!));
    const hidden = terms.filter(([cell]) => Number.isNaN(value[cell]!));
    const texts = hidden.slice(0, MOST_TERMS).map(text);
    if (hidden.length > MOST_TERMS) texts.push(`${hidden.length - MOST_TERMS} hidden ones more`);
    if (shown.length > 0) {
      const sum = shown.reduce((total, [cell, times]) => total + times * value[cell]!, 0);
      texts.push(`${shown.length} shown ones, together ${this.number(shown[0]![0], sum)}`);
    }
    return texts;
  }
}

/** Whether one sum after the other reaches the bounds that the attack found. */
export function reaches({ lower, upper }: Propagation, cell: number, min: number, max: number): boolean {
  return lower[cell]! >= min - 1e-6 && upper[cell]! <= max + 1e-6;
}
