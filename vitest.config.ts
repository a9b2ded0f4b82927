import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["tests/**/*.test.ts"],
    testTimeout: 60_000,
    // Two lanes are what small build machines have; more only makes them queue.
    maxWorkers: 2,
  },
});
