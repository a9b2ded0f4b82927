import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { call, F64, f64, FunctionBody, get, i32, I32, i64, moduleBytes, select, type Code, type WasmType } from "../../src/kernels/wasm-module.ts";

type Run = (...args: number[]) => number;

function instance(functions: Parameters<typeof moduleBytes>[0]): Record<string, Run> {
  const memory = new WebAssembly.Memory({ initial: 1 });
  return new WebAssembly.Instance(new WebAssembly.Module(moduleBytes(functions)), { memory: { memory } }).exports as Record<string, Run>;
}

function resultOf(code: Code, type: WasmType = I32): number {
  const body = new FunctionBody([], type);
  body.return(code);
  return instance([{ name: "run", body }])["run"]!();
}

describe("constants", () => {
  test.each([0, 1, -1, 63, 64, -64, -65, 127, 128, 2 ** 31 - 1, -(2 ** 31)])("i32 %i", (value) => {
    expect(resultOf(i32.const(value))).toBe(value);
  });

  test("i64 and f64", () => {
    fc.assert(fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
      const high = resultOf(i32.ofI64(i64.shiftRight(i64.const(value), i64.const(32n))));
      expect((BigInt(high) << 32n) | BigInt(resultOf(i32.ofI64(i64.const(value))) >>> 0)).toBe(value);
    }), { numRuns: 50 });
    fc.assert(fc.property(fc.double({ noNaN: true }), (value) => {
      expect(resultOf(f64.const(value), F64)).toBe(value);
    }), { numRuns: 50 });
  });
});

describe("control", () => {
  test("a loop with blocks inside: branches find their labels", () => {
    // Sum of the odd numbers below n, leaving at 1000.
    const f = new FunctionBody([I32], I32);
    const n = f.param(0);
    const i = f.local(I32);
    const sum = f.local(I32);
    f.block((leave) => {
      f.loop((again) => {
        f.branchIf(leave, i32.isZero(i32.lessS(get(i), get(n))));
        f.if(i32.and(get(i), i32.const(1)), () => {
          f.set(sum, i32.add(get(sum), get(i)));
          f.branchIf(leave, i32.moreU(get(sum), i32.const(1000)));
        }, () => f.do([]));
        f.set(i, i32.add(get(i), i32.const(1)));
        f.branch(again);
      });
    });
    f.return(get(sum));
    const { run } = instance([{ name: "run", body: f }]);
    expect([0, 1, 2, 10, 64, 500].map((end) => run!(end))).toEqual([0, 0, 1, 25, 1024, 1024]);
  });

  test("calls by place, select, loads and stores", () => {
    const twice = new FunctionBody([I32], I32);
    twice.return(i32.mul(get(twice.param(0)), i32.const(2)));
    const f = new FunctionBody([I32], I32);
    f.do(i32.store(i32.const(16), call(0, get(f.param(0))), 300));
    f.return(select(i32.load(i32.const(316)), i32.load8(i32.const(316)), i32.lessU(get(f.param(0)), i32.const(500))));
    const { run } = instance([{ body: twice }, { name: "run", body: f }]);
    expect(run!(200)).toBe(400);
    expect(run!(513)).toBe(2); // the lowest byte of 1026
  });
});
