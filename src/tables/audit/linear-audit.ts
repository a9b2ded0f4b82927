import { CommensurateError, PolicyError } from "../../errors/index.ts";
import { agrees, connectedComponents, type Component } from "./component.ts";
import type { FallenCell, LinearAttack, LinearAuditOptions, LinearAuditResult } from "./linear-attack.ts";
import { NOT_ASKED, SAFE, UNPROVEN, UNSAFE } from "./linear-attack.ts";
import { isSettled, largestMet, nothingWanted, settle, smallestMet, type Settled, type Wanted } from "./settle.ts";
import { findUnknowns, propagate, type Unknowns } from "./unknowns.ts";

/**
 * Attack anything published: for each blank cell, which values are still possible for somebody who knows every printed
 * number, how numbers add up, and the public rule.
 *
 * What follows at once is propagated; the rest falls into connected components. A cell is safe when tables of whole numbers,
 * each checked exactly against every row, show that enough is left. Linear programs only propose such tables and bound cells
 * from outside. What is not shown is unproven, and counts as unsafe.
 *
 * @throws DataError `audit/inconsistent` when no table agrees with what is published, `audit/not-whole`
 * @throws PolicyError `audit/interval` when fewer than 2 values are asked for, `audit/levels`
 * Time: near linear in entries where components are small or graphs; a linear program or a few for each cell that is narrow.
 */
export async function auditLinear(attack: LinearAttack, options: LinearAuditOptions = {}): Promise<LinearAuditResult> {
  checkNeed(attack);
  const { attack: whole, witness } = withSums(attack, options);
  const unknowns = findUnknowns(whole, options.known);
  const components = connectedComponents(unknowns);
  const need = needs(whole, unknowns, options, attack.cells);
  const run = new Run(whole, unknowns, components, need, options, witness, attack.cells);
  return run.audit();
}

function checkNeed({ need: { values, levels }, cells }: LinearAttack): void {
  for (let c = 0; c < cells; c++) {
    const asked = values?.[c] ?? 0;
    if (!(Number.isSafeInteger(asked) && asked >= 0)) {
      throw new PolicyError("audit/interval", "The values that must remain possible are a whole number; 0 or 1 asks for nothing.");
    }
    if (levels === undefined || Number.isNaN(levels.truth[c]!)) continue;
    if (!(levels.below[c]! >= 0 && levels.above[c]! >= 0 && levels.width[c]! >= 0)) {
      throw new PolicyError("audit/levels", "A protection level is a number of at least 0.");
    }
  }
}

/** Sums asked for become never published cells of their own. */
function withSums(attack: LinearAttack, { sums, witness }: LinearAuditOptions): { attack: LinearAttack; witness: Float64Array | undefined } {
  if (sums === undefined || sums.length === 0) return { attack, witness };
  const { cells, constraints } = attack;
  const extra = sums.length;
  const grow = (own: Float64Array, fill: number) => {
    const grown = new Float64Array(cells + extra).fill(fill);
    grown.set(own);
    return grown;
  };
  const starts = Array.from(constraints.starts);
  const cell = Array.from(constraints.cell);
  const times = Array.from(constraints.times);
  sums.forEach((members, s) => {
    for (const member of members) {
      cell.push(member);
      times.push(1);
    }
    cell.push(cells + s);
    times.push(-1);
    starts.push(cell.length);
  });
  const integer = new Uint8Array(cells + extra).fill(1);
  if (attack.integer !== undefined) {
    integer.set(attack.integer);
    sums.forEach((members, s) => (integer[cells + s] = members.every((c) => attack.integer![c] === 1) ? 1 : 0));
  }
  const known = witness === undefined ? undefined : grow(witness, NaN);
  if (known !== undefined) sums.forEach((members, s) => (known[cells + s] = members.reduce((sum, c) => sum + witness![c]!, 0)));
  const zeros = Array.from({ length: extra }, () => 0);
  return {
    attack: {
      ...attack,
      cells: cells + extra,
      value: grow(attack.value, NaN),
      lower: grow(attack.lower, -Infinity),
      upper: grow(attack.upper, Infinity),
      integer,
      constraints: { starts, cell, times, low: [...Array.from(constraints.low), ...zeros], high: [...Array.from(constraints.high), ...zeros] },
    },
    witness: known,
  };
}

/** What is wanted of each unknown: the most that any of its cells needs. */
function needs(attack: LinearAttack, unknowns: Unknowns, options: LinearAuditOptions, published: number): Wanted {
  const { values, harmlessFrom, levels } = attack.need;
  const { size, of, sign, offset, lower, upper } = unknowns;
  const wanted = nothingWanted(size);
  const nothingAsked = values === undefined && levels === undefined;
  const conflicting = new Uint8Array(size);
  for (let c = 0; c < attack.cells; c++) {
    const u = of[c]!;
    if (u < 0) continue;
    if (c >= published) wanted.bounds[u] = 1;
    const asked = c < published ? (values?.[c] ?? 0) : 0;
    const level = c < published && levels !== undefined && !Number.isNaN(levels.truth[c]!);
    if (options.detail === "bounds" && (asked > 1 || level || nothingAsked)) wanted.bounds[u] = 1;
    const least = sign[c]! > 0 ? lower[u]! + offset[c]! : offset[c]! - upper[u]!;
    if (asked > 1 && !(least >= (harmlessFrom?.[c] ?? Infinity))) {
      wanted.values[u] = Math.max(wanted.values[u]!, asked);
      // In terms of the unknown: harmless once it is at least, or at most, a number; the strictest of its cells decides.
      const h = sign[c]! * ((harmlessFrom?.[c] ?? Infinity) - offset[c]!);
      if (Number.isNaN(wanted.harmless[u]!)) {
        wanted.harmless[u] = h;
        wanted.harmlessSign[u] = sign[c]!;
      } else if (wanted.harmlessSign[u] !== sign[c]) conflicting[u] = 1;
      else wanted.harmless[u] = sign[c]! > 0 ? Math.max(wanted.harmless[u]!, h) : Math.min(wanted.harmless[u]!, h);
    }
    if (level) {
      const ends = [levels!.truth[c]! - levels!.below[c]!, levels!.truth[c]! + levels!.above[c]!].map((x) => sign[c]! * (x - offset[c]!));
      wanted.least[u] = Math.min(wanted.least[u]!, ...ends);
      wanted.most[u] = Math.max(wanted.most[u]!, ...ends);
      wanted.width[u] = Math.max(wanted.width[u]!, levels!.width[c]!);
      wanted.harmless[u] = NaN;
      conflicting[u] = 1;
    }
  }
  for (let u = 0; u < size; u++) if (conflicting[u] === 1) wanted.harmless[u] = NaN;
  return wanted;
}

function part(wanted: Wanted, unknown: Int32Array): Wanted {
  const numbers = (own: Float64Array) => Float64Array.from(unknown, (u) => own[u]!);
  return {
    values: numbers(wanted.values),
    least: numbers(wanted.least),
    most: numbers(wanted.most),
    width: numbers(wanted.width),
    bounds: Uint8Array.from(unknown, (u) => wanted.bounds[u]!),
    harmless: numbers(wanted.harmless),
    harmlessSign: Int8Array.from(unknown, (u) => wanted.harmlessSign[u]!),
  };
}

/** What was found of each unknown. */
interface Found {
  /** Settled safe, as far as anything is wanted. */
  readonly safe: Uint8Array;
  /** Bounds to report. */
  readonly min: Float64Array;
  readonly max: Float64Array;
  readonly exact: Uint8Array;
  /** Shown to fall, rather than not shown safe. */
  readonly falls: Uint8Array;
  readonly by: Uint8Array;
  readonly binding: Map<number, Map<number, number>>;
  readonly insider: Map<number, number>;
  /** By 2 * unknown, plus 1 for sign 1: a singleton that stands for the unknown, and what whoever is in it knows of the unknown. */
  readonly knownWithin: Map<number, { readonly singleton: number; readonly low: number; readonly high: number; readonly falls: boolean }>;
}

class Run {
  readonly #attack: LinearAttack;
  readonly #unknowns: Unknowns;
  readonly #components: readonly Component[];
  readonly #wanted: Wanted;
  readonly #options: LinearAuditOptions;
  readonly #witness: Float64Array | undefined;
  readonly #published: number;
  readonly #found: Found;

  constructor(
    attack: LinearAttack,
    unknowns: Unknowns,
    components: readonly Component[],
    wanted: Wanted,
    options: LinearAuditOptions,
    witness: Float64Array | undefined,
    published: number,
  ) {
    this.#attack = attack;
    this.#unknowns = unknowns;
    this.#components = components;
    this.#wanted = wanted;
    this.#options = options;
    this.#witness = witness;
    this.#published = published;
    const { size, lower, upper } = unknowns;
    this.#found = {
      safe: new Uint8Array(size),
      min: lower.slice(),
      max: upper.slice(),
      exact: Uint8Array.from(lower, (low, u) => (low === upper[u] ? 1 : 0)),
      falls: Uint8Array.from(lower, (low, u) => (low === upper[u] ? 1 : 0)),
      by: new Uint8Array(size),
      binding: new Map(),
      insider: new Map(),
      knownWithin: new Map(),
    };
  }

  async audit(): Promise<LinearAuditResult> {
    const { size, lower, upper } = this.#unknowns;
    for (let u = 0; u < size; u++) {
      if (lower[u] !== upper[u]) continue;
      this.#found.by[u] = 1;
      this.#found.safe[u] = this.#fixedIsSafe(u) ? 1 : 0;
      if (this.#found.safe[u] === 0) this.#explainBounds(u);
    }
    for (const component of this.#components) {
      this.#options.signal?.throwIfAborted();
      const wanted = part(this.#wanted, component.unknown);
      const settled = await settle(component, wanted, { point: this.#pointOf(component), signal: this.#options.signal });
      this.#take(component, wanted, settled);
    }
    if ((this.#options.insiders ?? "none") !== "none") await this.#attackFromWithin();
    return this.#result();
  }

  #fixedIsSafe(u: number): boolean {
    const { values, least, most, width, harmless, harmlessSign } = this.#wanted;
    const x = this.#unknowns.lower[u]!;
    const h = harmless[u]!;
    const enough = values[u]! <= 1 || (!Number.isNaN(h) && (harmlessSign[u]! > 0 ? x >= h : x <= h));
    return enough && least[u]! >= x && most[u]! <= x && width[u]! <= 0;
  }

  /** The witness in terms of a component's unknowns, when there is one and it agrees. */
  #pointOf(component: Component): Float64Array | undefined {
    if (this.#witness === undefined) return undefined;
    this.#values ??= this.#valuesOfWitness();
    const point = Float64Array.from(component.unknown, (u) => this.#values![u]!);
    return agrees(component, point) ? point : undefined;
  }

  #values: Float64Array | undefined;

  #valuesOfWitness(): Float64Array {
    const { size, of, sign, offset } = this.#unknowns;
    const values = new Float64Array(size).fill(NaN);
    for (let c = this.#attack.cells - 1; c >= 0; c--) {
      const u = of[c]!;
      if (u >= 0 && !Number.isNaN(this.#witness![c]!)) values[u] = sign[c]! * (this.#witness![c]! - offset[c]!);
    }
    return values;
  }

  #take(component: Component, wanted: Wanted, settled: Settled): void {
    const found = this.#found;
    const { proofs, low, high, wholeLow, wholeHigh } = settled;
    for (let v = 0; v < component.size; v++) {
      const u = component.unknown[v]!;
      const met = [smallestMet(proofs, v), largestMet(proofs, v)] as const;
      const anyMet = met[0] <= met[1];
      const ends = [
        Number.isNaN(wholeLow[v]!) ? low[v]! : wholeLow[v]!,
        Number.isNaN(wholeHigh[v]!) ? high[v]! : wholeHigh[v]!,
      ] as const;
      const safe = isSettled(wanted, proofs, low, high, v);
      found.safe[u] = safe ? 1 : 0;
      found.by[u] = settled.by[v]!;
      const reached = anyMet && met[0] === ends[0] && met[1] === ends[1];
      found.exact[u] = reached ? 1 : 0;
      // Safe cells report what was met; cells that fall, and bounds asked for, what cannot be left.
      const inner = safe && anyMet && wanted.bounds[v] === 0;
      found.min[u] = inner ? met[0] : ends[0];
      found.max[u] = inner ? met[1] : ends[1];
      if (safe) continue;
      const asked = wanted.values[v]!;
      found.falls[u] =
        (asked > 1 && ends[1] - ends[0] + 1 < asked) ||
        (reached && asked > 1 && reachedAll(settled, v)) ||
        low[v]! > wanted.least[v]! || high[v]! < wanted.most[v]! || high[v]! - low[v]! < wanted.width[v]!
          ? 1
          : 0;
      const multipliers = settled.multipliers.get(v);
      if (multipliers === undefined) this.#explainBounds(u);
      else this.#explainProgram(component, u, multipliers);
    }
  }

  #explainBounds(u: number): void {
    const binding = this.#unknowns.explainBound(u, true) ?? this.#unknowns.explainBound(u, false);
    if (binding !== undefined && binding.size > 0) this.#found.binding.set(u, binding);
  }

  #explainProgram(component: Component, u: number, multipliers: Float64Array): void {
    const { rows } = this.#unknowns;
    const combination = new Map<number, number>();
    multipliers.forEach((y, k) => {
      if (Math.abs(y) < 1e-7) return;
      const r = component.origin[k]!;
      for (let j = rows.starts[r]!; j < rows.starts[r + 1]!; j++) {
        const v = rows.unknown[j]!;
        combination.set(v, (combination.get(v) ?? 0) + y * rows.times[j]!);
      }
    });
    for (const [v, times] of combination) if (Math.abs(times) < 1e-7) combination.delete(v);
    const explained = this.#unknowns.explain(combination, u);
    if (explained !== undefined && explained.size > 0) this.#found.binding.set(u, explained);
  }

  /**
   * As the only contributor of a cell, who knows it, or as one of those in it, who knows that it is at least 1: narrow the cell
   * and ask again, of those cells in its component whose proofs move it.
   */
  async #attackFromWithin(): Promise<void> {
    const { of, sign, offset } = this.#unknowns;
    const alone = this.#options.insiders === "each-contributor";
    const singletons = this.#options.singletons ?? [];
    const componentOf = new Int32Array(this.#unknowns.size).fill(-1);
    const localOf = new Int32Array(this.#unknowns.size);
    this.#components.forEach((component, k) =>
      component.unknown.forEach((u, v) => {
        componentOf[u] = k;
        localOf[u] = v;
      }),
    );
    const bases = new Map<number, Settled>();
    const done = new Set<string>();
    for (const s of singletons) {
      this.#options.signal?.throwIfAborted();
      const su = of[s]!;
      if (su < 0 || componentOf[su]! < 0) continue;
      const k = componentOf[su]!;
      const component = this.#components[k]!;
      const wanted = part(this.#wanted, component.unknown);
      const sv = localOf[su]!;
      const point = alone ? this.#pointOf(component) : undefined;
      const one = sign[s]! * (1 - offset[s]!);
      const value = point !== undefined ? point[sv]! : one;
      const [from, to] = alone ? [value, value] : sign[s]! > 0 ? [one, Infinity] : [-Infinity, one];
      if (from <= component.lower[sv]! && to >= component.upper[sv]!) continue;
      const narrowed = narrowedTo(component, sv, from, to);
      if (narrowed === undefined) continue;
      if (alone) this.#found.knownWithin.set(2 * su + (sign[s]! > 0 ? 1 : 0), { singleton: s, low: value, high: value, falls: true });
      if (done.has(`${su} ${from} ${to}`)) continue;
      done.add(`${su} ${from} ${to}`);
      let affected: (v: number) => boolean = () => true;
      if (point !== undefined && !component.tree) {
        let base = bases.get(k);
        if (base === undefined) bases.set(k, (base = await settle(component, wanted, { point, stay: true, movesOnly: true, signal: this.#options.signal })));
        affected = (v) => !isSettled(wanted, base.proofs, base.low, base.high, v) || base.trace?.get(v)?.has(sv) !== false && base.trace?.get(v) !== undefined;
      }
      const rest: Wanted = { ...wanted, values: wanted.values.slice(), least: wanted.least.slice(), most: wanted.most.slice(), width: wanted.width.slice(), bounds: new Uint8Array(component.size) };
      // The rest of a known sum is judged like any other cell; cells that move with the insider's own are not.
      const restOfSum = !alone && this.#found.safe[su] === 1 && this.#isAskedOf(su, -sign[s]!);
      let any = false;
      for (let v = 0; v < component.size; v++) {
        if (v === sv && restOfSum) any = true;
        else if (v !== sv && this.#found.safe[component.unknown[v]!] === 1 && affected(v)) any ||= wanted.values[v]! > 0 || wanted.most[v]! > -Infinity || wanted.width[v]! > 0;
        else {
          rest.values[v] = rest.width[v] = 0;
          rest.least[v] = Infinity;
          rest.most[v] = -Infinity;
        }
      }
      if (!any) continue;
      const settled = await settledIfPossible(narrowed, rest, point, this.#options.signal);
      for (let v = 0; v < component.size; v++) {
        const u = component.unknown[v]!;
        if (settled === undefined || isSettled(rest, settled.proofs, settled.low, settled.high, v) || this.#found.insider.has(u)) continue;
        const few = rest.values[v]! > 1 && settled.high[v]! - settled.low[v]! + 1 < rest.values[v]!;
        if (v === sv) {
          this.#found.knownWithin.set(2 * su + (sign[s]! > 0 ? 1 : 0), { singleton: s, low: settled.low[v]!, high: settled.high[v]!, falls: few });
          continue;
        }
        this.#found.safe[u] = 0;
        this.#found.insider.set(u, s);
        this.#found.min[u] = settled.low[v]!;
        this.#found.max[u] = settled.high[v]!;
        this.#found.exact[u] = 0;
        this.#found.falls[u] = few ? 1 : 0;
        const multipliers = settled.multipliers.get(v);
        if (multipliers !== undefined) this.#explainProgram(component, u, multipliers);
      }
    }
  }

  /** Whether some cell that needs protection stands for the unknown with this sign. */
  #isAskedOf(u: number, wanted: number): boolean {
    const { of, sign } = this.#unknowns;
    const { values, levels } = this.#attack.need;
    this.#asked ??= of.reduce((asked, own, c) => {
      const isAsked = c < this.#published && ((values?.[c] ?? 0) > 1 || (levels !== undefined && !Number.isNaN(levels.truth[c]!)));
      return own >= 0 && isAsked ? asked.add(2 * own + (sign[c]! > 0 ? 1 : 0)) : asked;
    }, new Set<number>());
    return this.#asked.has(2 * u + (wanted > 0 ? 1 : 0));
  }

  #asked: Set<number> | undefined;

  #result(): LinearAuditResult {
    const attack = this.#attack;
    const { of, sign, offset } = this.#unknowns;
    const { need } = attack;
    const cells = this.#published;
    const min = new Float64Array(attack.cells);
    const max = new Float64Array(attack.cells);
    const exact = new Uint8Array(cells);
    const verdict = new Uint8Array(cells);
    const fallen: FallenCell[] = [];
    const settledBy = { propagation: 0, moves: 0, programs: 0 };
    const stand = this.#standIns(1);
    const opposite = this.#standIns(-1);
    let blanks = 0;
    for (let c = 0; c < attack.cells; c++) {
      const u = of[c]!;
      if (u < 0) {
        min[c] = max[c] = attack.value[c]!;
        if (c < cells) exact[c] = 1;
        continue;
      }
      const ends = [this.#found.min[u]!, this.#found.max[u]!].map((x) => sign[c]! * x + offset[c]!);
      min[c] = Math.min(...ends);
      max[c] = Math.max(...ends);
      if (c >= cells) continue;
      blanks++;
      exact[c] = this.#found.exact[u]!;
      const by = this.#found.by[u]!;
      if (by === 1) settledBy.propagation++;
      else if (by === 2) settledBy.moves++;
      else if (by === 3) settledBy.programs++;
      const asked = (need.values?.[c] ?? 0) > 1;
      const level = need.levels !== undefined && !Number.isNaN(need.levels.truth[c]!);
      if (!asked && !level) {
        verdict[c] = NOT_ASKED;
        continue;
      }
      // The rest of a known sum follows for whoever knows one part of it; other cells of the same unknown hold the insider.
      const within = this.#found.knownWithin.get(2 * u + (sign[c]! > 0 ? 0 : 1));
      if (within !== undefined && this.#found.safe[u] === 1) {
        const told = [within.low, within.high].map((x) => sign[c]! * x + offset[c]!);
        const from = Math.min(...told);
        const to = Math.max(...told);
        if (level || from < (need.harmlessFrom?.[c] ?? Infinity)) {
          verdict[c] = within.falls ? UNSAFE : UNPROVEN;
          fallen.push({
            cell: c, verdict: verdict[c] as typeof UNSAFE | typeof UNPROVEN, min: from, max: to, derivable: from === to, insider: within.singleton,
            binding: new Map([[c, 1], [within.singleton, 1]]),
          });
          continue;
        }
      }
      const harmless = !level && this.#certainLower(c) >= (need.harmlessFrom?.[c] ?? Infinity) && !this.#found.insider.has(u);
      if (this.#found.safe[u] === 1 || harmless) {
        verdict[c] = SAFE;
        continue;
      }
      verdict[c] = this.#found.falls[u] === 1 ? UNSAFE : UNPROVEN;
      const binding = this.#bindingOf(c, stand, opposite);
      const insider = this.#found.insider.get(u);
      fallen.push({
        cell: c,
        verdict: verdict[c] as typeof UNSAFE | typeof UNPROVEN,
        min: min[c]!,
        max: max[c]!,
        derivable: min[c] === max[c],
        ...(binding === undefined ? {} : { binding }),
        ...(insider === undefined ? {} : { insider }),
      });
    }
    return {
      safe: fallen.length === 0,
      blanks,
      components: this.#components.length,
      min: min.subarray(0, cells),
      max: max.subarray(0, cells),
      exact,
      verdict,
      fallen,
      sums: Array.from({ length: attack.cells - cells }, (_, s) => ({ min: min[cells + s]!, max: max[cells + s]! })),
      settledBy,
    };
  }

  /** What propagation alone says: exact, and enough for cells that are certain to hold no small count. */
  #certainLower(c: number): number {
    const { of, sign, offset, lower, upper } = this.#unknowns;
    const u = of[c]!;
    return sign[c]! > 0 ? lower[u]! + offset[c]! : offset[c]! - upper[u]!;
  }

  /** In terms of cells. Cells that became one unknown because their sum is known are bound by that sum. */
  #bindingOf(c: number, stand: Int32Array, opposite: Int32Array): Map<number, number> | undefined {
    const { of, sign } = this.#unknowns;
    const found = this.#found.binding.get(of[c]!);
    if (found !== undefined) return new Map([...found].map(([v, times]) => [stand[v]!, sign[stand[v]!]! * times]));
    const other = (sign[c]! === sign[stand[of[c]!]!]! ? opposite : stand)[of[c]!]!;
    return other < 0 || sign[other] === sign[c] ? undefined : new Map([[c, 1], [other, 1]]);
  }

  /** [unknowns] the cell that names it: one that needs protection, of the given sign if there is one, the smallest of them. */
  #standIns(preferred: 1 | -1): Int32Array {
    const { size, of, sign, offset } = this.#unknowns;
    const { values, levels } = this.#attack.need;
    const stand = new Int32Array(size).fill(-1);
    const rank = (c: number) =>
      (sign[c]! === preferred ? 0 : 2) + ((values?.[c] ?? 0) > 1 || (levels !== undefined && !Number.isNaN(levels.truth[c]!)) ? 0 : 1);
    for (let c = 0; c < this.#published; c++) {
      const u = of[c]!;
      if (u < 0) continue;
      const other = stand[u]!;
      if (other < 0 || rank(c) < rank(other) || (rank(c) === rank(other) && offset[c]! < offset[other]!)) stand[u] = c;
    }
    for (let c = this.#published; c < this.#attack.cells; c++) if (of[c]! >= 0 && stand[of[c]!]! < 0) stand[of[c]!] = c;
    return stand;
  }
}

/** Every value between the ends was tried or met, so the count of proven values is the count of possible ones. */
function reachedAll({ wholeLow, wholeHigh }: Settled, v: number): boolean {
  return !Number.isNaN(wholeLow[v]!) || !Number.isNaN(wholeHigh[v]!);
}

/** The component with one unknown narrowed and what follows propagated; undefined when that is impossible. */
function narrowedTo(component: Component, v: number, from: number, to: number): Component | undefined {
  const lower = component.lower.slice();
  const upper = component.upper.slice();
  lower[v] = Math.max(lower[v]!, from);
  upper[v] = Math.min(upper[v]!, to);
  if (lower[v]! > upper[v]!) return undefined;
  try {
    const settled = propagate(component.rows, lower, upper, component.integer);
    return { ...component, lower, upper, tree: component.tree && settled };
  } catch {
    return undefined;
  }
}

/** Nobody can be alone in a cell that is never 1. */
async function settledIfPossible(
  component: Component, wanted: Wanted, point: Float64Array | undefined, signal: AbortSignal | undefined,
): Promise<Settled | undefined> {
  try {
    return await settle(component, wanted, { point, signal });
  } catch (error) {
    if (error instanceof CommensurateError && error.code === "audit/inconsistent") return undefined;
    throw error;
  }
}
