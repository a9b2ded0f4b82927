import { defineConfig } from "vitest/config";

// BENCH_FAST=1 shows that every benchmark still runs; its figures mean nothing.
export default defineConfig({
  root: new URL("..", import.meta.url).pathname,
  test: {
    benchmark: { include: process.env["BENCH_FAST"] === "1" ? ["bench/noise.bench.ts", "bench/tables.bench.ts"] : ["bench/**/*.bench.ts"] },
    maxWorkers: 1,
    testTimeout: 600_000,
  },
});
