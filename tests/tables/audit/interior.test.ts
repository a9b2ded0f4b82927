import loadHighs, { type Highs } from "highs";
import { beforeAll, describe, expect, test } from "vitest";
import { auditLinear, ConstraintBuilder, type LinearAttack } from "../../../src/tables/audit/index.ts";
import { connectedComponents, type Component } from "../../../src/tables/audit/component.ts";
import { Interior } from "../../../src/tables/audit/interior.ts";
import { findUnknowns } from "../../../src/tables/audit/unknowns.ts";
import { numbersFrom } from "../cell-suppression/reader.ts";

const OPTIMAL = 7;
const UNBOUNDED = 10;

let highs: Highs;
beforeAll(async () => {
  highs = await (loadHighs as unknown as () => Promise<Highs>)();
});

/** A cube of counts with sums over each dimension; a share of the inner cells is blank, and of the sums. */
function cube(seed: number, sizes: readonly [number, number, number], share: number, interval = 5): { attack: LinearAttack; witness: Float64Array } {
  const random = numbersFrom(seed);
  const [rows, columns, layers] = sizes;
  const at = (i: number, j: number, k: number) => (i * columns + j) * layers + k;
  const witness: number[] = Array.from({ length: rows * columns * layers }, () => 1 + Math.floor(12 * random() ** 2));
  const additions = new ConstraintBuilder();
  const sum = (cells: readonly number[]) => {
    additions.add([...cells.map((cell) => [cell, 1] as const), [witness.length, -1]], 0);
    witness.push(cells.reduce((all, cell) => all + witness[cell]!, 0));
  };
  const range = (n: number) => Array.from({ length: n }, (_, i) => i);
  for (const i of range(rows)) for (const j of range(columns)) sum(range(layers).map((k) => at(i, j, k)));
  for (const i of range(rows)) for (const k of range(layers)) sum(range(columns).map((j) => at(i, j, k)));
  for (const j of range(columns)) for (const k of range(layers)) sum(range(rows).map((i) => at(i, j, k)));
  const cells = witness.length;
  const inner = rows * columns * layers;
  return {
    attack: {
      cells,
      value: Float64Array.from(witness, (count, c) => (random() < (c < inner ? share : share / 6) ? NaN : count)),
      lower: new Float64Array(cells).fill(1),
      upper: new Float64Array(cells).fill(Infinity),
      constraints: additions.build(),
      need: { values: new Float64Array(cells).fill(interval), harmlessFrom: new Float64Array(cells).fill(11) },
    },
    witness: Float64Array.from(witness),
  };
}

function largest(attack: LinearAttack): Component {
  return connectedComponents(findUnknowns(attack)).reduce((a, b) => (b.size > a.size ? b : a));
}

/** Smallest and largest value of each unknown over all tables, by a solver of its own. */
function extremes({ size, lower, upper, rows }: Component, unknowns: readonly number[]): (readonly [number, number])[] {
  const model = highs.createModel({
    numCols: size, numRows: rows.low.length, colCost: new Float64Array(size), colLower: lower, colUpper: upper, rowLower: rows.low, rowUpper: rows.high,
    matrix: { format: "csr", numRows: rows.low.length, numCols: size, starts: rows.starts, indices: rows.unknown, values: rows.times },
  });
  model.options.set({ output_flag: false, presolve: "off", solver: "simplex", simplex_strategy: 4 });
  try {
    return unknowns.map((u) => {
      const ends = [1, -1].map((cost) => {
        model.changeColCost(u, cost);
        model.run();
        const status = model.getModelStatus();
        if (status === UNBOUNDED) return cost > 0 ? -Infinity : Infinity;
        expect(status).toBe(OPTIMAL);
        return model.getSolution().colValue[u]!;
      });
      model.changeColCost(u, 0);
      return [ends[0]!, ends[1]!] as const;
    });
  } finally {
    model.dispose();
  }
}

describe("walks from the middle", () => {
  test.each([1, 2, 3, 4, 5, 6])("reach nothing that is impossible, and most of what is possible (seed %i)", async (seed) => {
    const component = largest(cube(seed, [5, 4, 4], 0.7).attack);
    const inside = (await Interior.find(component, undefined, 64))!;
    const list = Array.from({ length: component.size }, (_, u) => u);
    const possible = extremes(component, list);
    let reached = 0;
    let all = 0;
    for (const u of list) {
      const [from, to] = possible[u]!;
      for (const side of [1, -1] as const) {
        const table = inside.towards(u, side, side * 1e6);
        if (table === undefined || !Number.isFinite(to - from)) continue;
        list.forEach((v) => {
          expect(table[v]!).toBeGreaterThanOrEqual(possible[v]![0] - 1e-6);
          expect(table[v]!).toBeLessThanOrEqual(possible[v]![1] + 1e-6);
        });
        reached += side > 0 ? table[u]! - from : to - table[u]!;
        all += to - from;
      }
    }
    expect(component.size).toBeGreaterThan(20);
    expect(reached / all).toBeGreaterThan(0.9);
  });

  test("stop at the value that was asked for", async () => {
    const component = largest(cube(7, [5, 4, 4], 0.7).attack);
    const inside = (await Interior.find(component, undefined, 64))!;
    const middle = inside.middle()!.slice();
    const [, to] = extremes(component, [0])[0]!;
    const goal = (middle[0]! + to) / 2;
    expect(inside.towards(0, 1, goal)![0]).toBe(goal);
  });

  test("sums that are only bounded, and unknowns without bounds", async () => {
    // 1 <= x + y <= 4, y - z = 2, z and y open on both sides, x in 0..3.
    const rows = new ConstraintBuilder();
    rows.add([[0, 1], [1, 1]], 1, 4);
    rows.add([[1, 1], [2, -1], [3, 1]], 2);
    const open = Infinity;
    const component = largest({
      cells: 4, value: new Float64Array(4).fill(NaN), lower: Float64Array.of(0, -open, -open, 0), upper: Float64Array.of(3, open, open, 1), constraints: rows.build(), need: {},
    });
    const inside = (await Interior.find(component, undefined, 64))!;
    const [x, y] = [component.unknown.indexOf(0), component.unknown.indexOf(1)];
    expect(inside.towards(x, 1, 100)![x]!).toBeCloseTo(3, 6);
    expect(inside.towards(y, -1, -100)![y]!).toBeLessThan(-1.5); // -2 at x = 3; a walk need not get there
  });

  test("unknowns that only look free are held, and the rest is walked", async () => {
    // Three unknowns whose sums in pairs are known are fixed, though no single sum fixes them; two more share a sum of 9.
    const rows = new ConstraintBuilder();
    rows.add([[0, 1], [1, 1]], 2, 2);
    rows.add([[1, 1], [2, 1]], 2, 2);
    rows.add([[0, 1], [2, 1], [3, 1], [4, 1]], 11);
    rows.add([[0, 1], [2, -1], [5, 1], [6, -1]], 0);
    rows.add([[0, 1], [1, 1], [2, 1], [5, 1], [6, 1]], 3);
    const component: Component | undefined = connectedComponents(findUnknowns({
      cells: 7, value: new Float64Array(7).fill(NaN), lower: new Float64Array(7), upper: new Float64Array(7).fill(20), constraints: rows.build(), need: {},
    })).reduce((a, b) => (b.size > a.size ? b : a));
    const inside = await Interior.find(component, undefined, 64);
    if (inside === undefined) return; // no middle is an answer too
    const possible = extremes(component, Array.from({ length: component.size }, (_, u) => u));
    for (let u = 0; u < component.size; u++) {
      const table = inside.towards(u, 1, 100);
      if (table !== undefined) expect(table[u]!).toBeLessThanOrEqual(possible[u]![1] + 1e-6);
    }
  });

  test("what contradicts itself has no middle", async () => {
    const { attack } = cube(8, [5, 4, 4], 0.8);
    const component = largest(attack);
    const low = component.rows.low.slice();
    const high = component.rows.high.slice();
    low[0] = high[0] = high[0]! + 5000;
    const inside = await Interior.find({ ...component, rows: { ...component.rows, low, high } }, undefined, 64);
    expect(inside?.middle()).toBeUndefined();
  });
});

describe("a component of more than 500 unknowns", () => {
  const { attack, witness } = cube(11, [18, 9, 8], 0.75, 4);

  test("what the audit calls safe is wide enough for another solver, with and without a witness; what falls is not", async () => {
    const component = largest(attack);
    expect(component.size).toBeGreaterThan(500);
    for (const given of [undefined, witness]) {
      const result = await auditLinear(attack, { witness: given });
      expect(result.settledBy.programs + result.settledBy.moves).toBeGreaterThan(500);
      const unknowns = findUnknowns(attack);
      const local = new Map([...component.unknown].map((u, v) => [u, v]));
      const some = Array.from({ length: attack.cells }, (_, c) => c).filter((c) => Number.isNaN(attack.value[c]!) && local.has(unknowns.of[c]!) && c % 11 === 0);
      const ends = extremes(component, some.map((c) => local.get(unknowns.of[c]!)!));
      some.forEach((c, i) => {
        const [from, to] = ends[i]!;
        const values = Math.floor(to + 1e-6) - Math.ceil(from - 1e-6) + 1;
        const least = Math.min(...[from, to].map((x) => unknowns.sign[c]! * x + unknowns.offset[c]!));
        const isWide = values >= 4 || least >= 11 - 1e-6;
        expect([c, result.verdict[c] === 1]).toEqual([c, isWide]);
      });
      for (const { binding } of result.fallen) expect(binding).toBeDefined();
    }
  });

  test("a signal is heard while it is worked on", async () => {
    const controller = new AbortController();
    const big = cube(12, [40, 12, 10], 0.8);
    const started = performance.now();
    const stopped = auditLinear(big.attack, { signal: controller.signal });
    let asked = 0;
    setTimeout(() => {
      asked = performance.now();
      controller.abort(new Error("stop"));
    }, 300);
    await expect(stopped).rejects.toThrow("stop");
    // Busy machines are slow; the point is that it does not run to its end.
    expect(asked - started).toBeLessThan(10_000);
    expect(performance.now() - asked).toBeLessThan(5000);
  });
});
