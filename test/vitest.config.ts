import { defineConfig } from "vitest/config";
import { tellSkips } from "./skips.ts";

const root = new URL("..", import.meta.url).pathname;

export default defineConfig({
  root,
  resolve: {
    // Tests name the sources and run the build: what is shipped, and what a worker thread or a child can load.
    alias: [{ find: /^(?:\.\.\/)+src\/(.+)\.ts$/, replacement: `${root}dist/$1.js` }],
  },
  test: {
    include: ["test/**/*.test.ts"],
    // What a test starts programs no kernel but where the test says so, in a namespace of its own.
    env: { ROTA_PLANE: "none" },
    reporters: ["default", tellSkips(process.env["ROTA_TEST_SKIP_NONE"] !== "1")],
    // Most of them wait for other processes: every core may have one.
    maxWorkers: "100%",
    // One file starts a server, another a flood: a slow machine is no failure.
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
