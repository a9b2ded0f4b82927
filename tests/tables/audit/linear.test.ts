import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { auditLinear, ConstraintBuilder, shareConstraint, UNSAFE, type LinearAttack } from "../../../src/tables/audit/index.ts";

interface Small {
  readonly values: readonly (number | null)[];
  readonly lower?: number;
  readonly upper?: number;
  readonly rows: (into: ConstraintBuilder) => void;
  readonly need?: number;
}

function attackOf({ values, lower = 0, upper = Infinity, rows, need = 2 }: Small): LinearAttack {
  const into = new ConstraintBuilder();
  rows(into);
  return {
    cells: values.length,
    value: Float64Array.from(values, (value) => value ?? NaN),
    lower: new Float64Array(values.length).fill(lower),
    upper: new Float64Array(values.length).fill(upper),
    constraints: into.build(),
    need: { values: values.map((value) => (value === null ? need : 0)) },
  };
}

/** Values of each cell over all whole-number tables with blanks in 0 .. most, by trying all of them. */
function possible({ value, lower, upper, cells, constraints }: LinearAttack, most: number): Set<number>[] {
  const seen = Array.from({ length: cells }, () => new Set<number>());
  const x = Array.from(value);
  const open = x.flatMap((v, c) => (Number.isNaN(v) ? [c] : []));
  const { starts, cell, times, low, high } = constraints;
  const descend = (i: number): void => {
    if (i < open.length) {
      const c = open[i]!;
      for (let v = Math.max(0, lower[c]!); v <= Math.min(most, upper[c]!); v++) {
        x[c] = v;
        descend(i + 1);
      }
      return;
    }
    for (let r = 0; r < low.length; r++) {
      let sum = 0;
      for (let k = starts[r]!; k < starts[r + 1]!; k++) sum += times[k]! * x[cell[k]!]!;
      if (sum < low[r]! || sum > high[r]!) return;
    }
    for (const c of open) seen[c]!.add(x[c]!);
  };
  descend(0);
  return seen;
}

describe("insiders by hand", () => {
  // a + b = 4 and nothing else known: 0 to 4 for both. Somebody in a knows that a is at least 1, so b is 0 to 3.
  const two = attackOf({ values: [null, null], need: 5, rows: (into) => into.add([[0, 1], [1, 1]], 4) });

  test("who is in a cell knows of one more there, and the rest of a known sum has one less", async () => {
    expect((await auditLinear(two)).safe).toBe(true);
    const { fallen } = await auditLinear(two, { insiders: "each-member", singletons: [0] });
    expect(fallen.map(({ cell, min, max, insider }) => [cell, min, max, insider])).toEqual([[1, 0, 3, 0]]);
    expect((await auditLinear({ ...two, need: { values: [4, 4] } }, { insiders: "each-member", singletons: [0, 1] })).safe).toBe(true);
  });

  test("who is alone in a cell computes the rest of a known sum", async () => {
    const { fallen } = await auditLinear(two, { insiders: "each-contributor", singletons: [0, 1] });
    expect(fallen.map(({ cell, min, max, insider }) => [cell, min, max, insider])).toEqual([[0, 3, 3, 1], [1, 3, 3, 0]]);
  });

  test("nobody is alone in a cell that cannot be 1", async () => {
    const large = attackOf({ values: [null, null], need: 2, lower: 2, rows: (into) => into.add([[0, 1], [1, 1]], 9) });
    expect((await auditLinear(large, { insiders: "each-contributor", singletons: [0, 1] })).safe).toBe(true);
  });
});

describe("random systems, every table enumerated", () => {
  const MOST = 6;
  const system = fc.record({
    truth: fc.array(fc.integer({ min: 0, max: MOST }), { minLength: 2, maxLength: 5 }),
    rows: fc.array(fc.record({ times: fc.array(fc.constantFrom(0, 0, 1, 1, -1, 2, 3), { minLength: 5, maxLength: 5 }), slack: fc.constantFrom(0, 0, 0, 1, 2) }), { minLength: 1, maxLength: 4 }),
    need: fc.integer({ min: 2, max: 5 }),
  });
  const build = ({ truth, rows, need }: { truth: number[]; rows: { times: number[]; slack: number }[]; need: number }) =>
    attackOf({
      values: truth.map(() => null),
      upper: MOST,
      need,
      rows: (into) => {
        for (const { times, slack } of rows) {
          const sum = truth.reduce((all, value, c) => all + value * times[c]!, 0);
          into.add(truth.map((_, c) => [c, times[c]!] as const), sum - slack, sum + slack);
        }
      },
    });

  test("safe exactly where enough values are possible; bounds are the true ones", async () => {
    let unsafe = 0;
    await fc.assert(
      fc.asyncProperty(system, fc.boolean(), async (input, told) => {
        const attack = build(input);
        const seen = possible(attack, MOST);
        const result = await auditLinear(attack, { detail: "bounds", witness: told ? Float64Array.from(input.truth) : undefined });
        seen.forEach((values, c) => {
          expect([c, result.min[c], result.max[c]]).toEqual([c, Math.min(...values), Math.max(...values)]);
          expect(result.fallen.some(({ cell }) => cell === c)).toBe(values.size < input.need);
        });
        unsafe += result.fallen.length;
        expect((await auditLinear(attack)).safe).toBe(result.safe);
      }),
      { numRuns: 200, seed: 1 },
    );
    expect(unsafe).toBeGreaterThan(100);
  }, 60_000);

  test("insiders: no cell called safe keeps too few values for the only contributor of another", async () => {
    let found = 0;
    await fc.assert(
      fc.asyncProperty(system, async (input) => {
        const attack = build(input);
        const ones = input.truth.flatMap((value, c) => (value === 1 ? [c] : []));
        const outside = await auditLinear(attack);
        const inside = await auditLinear(attack, { insiders: "each-contributor", singletons: ones, witness: Float64Array.from(input.truth) });
        const falls = new Set(outside.fallen.map(({ cell }) => cell));
        for (const s of ones) {
          const known = { ...attack, value: attack.value.with(s, 1) };
          possible(known, MOST).forEach((values, c) => {
            if (c === s || values.size >= input.need) return;
            // A cell that always equals the insider's own, up to a known number, holds the same people.
            const apart = new Set<number>();
            for (const w of possible(attack, MOST)[s]!) for (const v of possible({ ...attack, value: attack.value.with(s, w) }, MOST)[c]!) apart.add(v - w);
            const same = apart.size === 1;
            if (!same) falls.add(c);
          });
        }
        for (const c of falls) {
          if (outside.fallen.some(({ cell }) => cell === c)) continue;
          found++;
          expect(inside.fallen.map(({ cell }) => cell)).toContain(c);
        }
      }),
      { numRuns: 150, seed: 2 },
    );
    expect(found).toBeGreaterThan(10);
  }, 60_000);

  /** Cells that fall from within some cell though not from outside; `within` is what whoever is in cell s sees. */
  const fallWithin = (attack: LinearAttack, need: number, within: (s: number) => LinearAttack): Set<number> => {
    const outside = possible(attack, MOST);
    const falls = new Set<number>();
    outside.forEach((own, s) => {
      const inside = possible(within(s), MOST);
      if (!outside[s]!.has(1) && inside.every((values) => values.size === 0)) return;
      inside.forEach((values, c) => {
        if (c === s || values.size >= need || outside[c]!.size < need) return;
        const apart = new Set<number>();
        for (const w of own) for (const v of possible({ ...attack, value: attack.value.with(s, w) }, MOST)[c]!) apart.add(v - w);
        if (apart.size > 1) falls.add(c);
      });
    });
    return falls;
  };

  test.each([
    ["each-member", (attack: LinearAttack, s: number) => ({ ...attack, lower: attack.lower.with(s, 1) })],
    ["each-contributor", (attack: LinearAttack, s: number) => ({ ...attack, value: attack.value.with(s, 1) })],
  ] as const)("%s, without the truth: the cells that keep too few values for somebody in another", async (insiders, within) => {
    let found = 0;
    await fc.assert(
      fc.asyncProperty(system, async (input) => {
        const attack = build(input);
        const expected = fallWithin(attack, input.need, (s) => within(attack, s));
        const all = input.truth.map((_, c) => c);
        const inside = await auditLinear(attack, { insiders, singletons: all });
        const own = inside.fallen.filter(({ insider }) => insider !== undefined);
        expect(own.map(({ cell }) => cell)).toEqual(expect.arrayContaining([...expected]));
        // More fall only where whoever is in the one does find the other, such as a cell that happens to equal it, or where nobody can be.
        for (const { cell, insider } of own) expect(possible(within(attack, insider!), MOST)[cell]!.size).toBeLessThan(input.need);
        found += expected.size;
      }),
      { numRuns: 150, seed: 4 },
    );
    expect(found).toBeGreaterThan(10);
  }, 60_000);

  test("a wrong witness changes no verdict", async () => {
    await fc.assert(
      fc.asyncProperty(system, async (input) => {
        const attack = build(input);
        const wrong = await auditLinear(attack, { witness: Float64Array.from(input.truth, (value) => value + 1) });
        expect(wrong.verdict).toEqual((await auditLinear(attack)).verdict);
      }),
      { numRuns: 60, seed: 3 },
    );
  });
});

describe("printed percentages, rates and means", () => {
  const printed = (share: number, digits: number) => share.toFixed(digits);

  test("counts that agree with printed percentages of an unknown total: all of them and no other", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 2, maxLength: 3 }).filter((counts) => counts.some((count) => count > 0)),
        fc.integer({ min: 0, max: 1 }),
        fc.boolean(),
        async (counts, digits, shown) => {
          const total = counts.reduce((sum, count) => sum + count, 0);
          const texts = counts.map((count) => printed((100 * count) / total, digits));
          const attack = attackOf({
            values: [...counts.map(() => null), shown ? total : null],
            upper: 30,
            rows: (into) => {
              into.add([...counts.map((_, c) => [c, 1] as const), [counts.length, -1]], 0);
              texts.forEach((text, c) => shareConstraint(into, { cell: c }, shown ? { known: total } : { cell: counts.length }, text, 100));
            },
          });
          // Independent of the rows: which counts print like this, halves either way.
          const half = 0.5 / 10 ** digits + 1e-12;
          const seen = counts.map(() => new Set<number>());
          const x: number[] = [];
          const descend = (): void => {
            if (x.length < counts.length) {
              for (let v = 0; v <= 30; v++) {
                x.push(v);
                descend();
                x.pop();
              }
              return;
            }
            const sum = x.reduce((all, v) => all + v, 0);
            if (sum > 30 || (shown && sum !== total)) return;
            if (x.every((v, c) => Math.abs(100 * v - Number(texts[c]) * sum) <= half * sum)) x.forEach((v, c) => seen[c]!.add(v));
          };
          descend();
          const result = await auditLinear(attack, { detail: "bounds" });
          seen.forEach((values, c) => {
            expect([result.min[c], result.max[c]]).toEqual([Math.min(...values), Math.max(...values)]);
            expect(result.fallen.some(({ cell }) => cell === c)).toBe(values.size < 2);
          });
        },
      ),
      { numRuns: 60, seed: 4 },
    );
  }, 60_000);

  test("12.5 percent of a shown 40 is 5, by both ends of the rounding interval", async () => {
    const attack = attackOf({ values: [null], rows: (into) => shareConstraint(into, { cell: 0 }, { known: 40 }, "12.5", 100) });
    expect((await auditLinear(attack)).fallen).toMatchObject([{ cell: 0, verdict: UNSAFE, min: 5, max: 5, derivable: true }]);
    const halves = attackOf({ values: [null], rows: (into) => shareConstraint(into, { cell: 0 }, { known: 200 }, "12", 100) });
    const result = await auditLinear(halves, { detail: "bounds" });
    expect([result.min[0], result.max[0]]).toEqual([23, 25]); // 11.5 % and 12.5 % may both print as 12
  });

  test.each(["", "12,5", "1e3", "<10"])("refuses %j", (text) => {
    expect(() => shareConstraint(new ConstraintBuilder(), { cell: 0 }, { known: 4 }, text, 100)).toThrow(/plain decimal/);
  });
});

describe("amounts", () => {
  /** Handbook on SDC: the feasible interval must hold the truth less its lower and plus its upper level. */
  const row = (blank: readonly number[], levels: number): LinearAttack => {
    const truth = [60, 25, 15, 100];
    const into = new ConstraintBuilder();
    into.add([[0, 1], [1, 1], [2, 1], [3, -1]], 0);
    return {
      cells: 4,
      value: Float64Array.from(truth, (value, c) => (blank.includes(c) ? NaN : value)),
      lower: new Float64Array(4),
      upper: new Float64Array(4).fill(Infinity),
      integer: new Uint8Array(4),
      constraints: into.build(),
      need: { levels: { truth: Float64Array.from([60, NaN, NaN, NaN]), below: [levels, 0, 0, 0], above: [levels, 0, 0, 0], width: [0, 0, 0, 0] } },
    };
  };

  test.each([
    { levels: 15, safe: true }, // 60 and 15 blank: 0 to 75
    { levels: 16, safe: false },
  ])("two blanks of 60 and 15 leave 0 to 75, levels of $levels are safe: $safe", async ({ levels, safe }) => {
    expect((await auditLinear(row([0, 2], levels))).safe).toBe(safe);
  });

  test("without a need it reports intervals and sums", async () => {
    const { need: _, ...outside } = row([0, 2], 0);
    const result = await auditLinear({ ...outside, need: {} }, { detail: "bounds", sums: [[0, 2], [0, 1]] });
    expect([result.min[0], result.max[0], result.sums]).toEqual([0, 75, [{ min: 75, max: 75 }, { min: 25, max: 100 }]]);
    expect(result.safe).toBe(true);
  });

  test("somebody who contributed 50 to a cell knows more", async () => {
    const { need: _, ...outside } = row([0, 2], 0);
    const result = await auditLinear({ ...outside, need: {} }, { detail: "bounds", known: [{ cell: 0, atLeast: 50 }] });
    expect([result.min[0], result.max[0], result.min[2], result.max[2]]).toEqual([50, 75, 0, 25]);
  });
});

describe("refusals", () => {
  test("contradictions", async () => {
    const attack = attackOf({ values: [null, 3], rows: (into) => into.add([[0, 1], [1, 1]], 2) });
    await expect(auditLinear(attack)).rejects.toMatchObject({ code: "audit/inconsistent" });
  });
  test("fractions", async () => {
    const attack = attackOf({ values: [null, 3.5], rows: (into) => into.add([[0, 1], [1, 1]], 7) });
    await expect(auditLinear(attack)).rejects.toMatchObject({ code: "audit/not-whole" });
  });
});
