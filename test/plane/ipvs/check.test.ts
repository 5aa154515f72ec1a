import { expect } from "vitest";
import { testNeeding } from "../../needing.ts";
import { outputOf } from "../../run.ts";

const CHECK = new URL("../../../dist/plane/ipvs/check.js", import.meta.url).href;
const SCRIPT = `console.log(await (await import("${CHECK}")).checkIpvs())`;
const NODE = [process.execPath, "--input-type=module", "--eval", SCRIPT];

testNeeding({})("without ipvsadm it is said how to get it", async () => {
  expect(await outputOf("env", ["PATH=/nowhere", ...NODE])).toBe(
    "ipvsadm is not installed: apt-get install ipvsadm\n",
  );
});

testNeeding({ root: true, programs: ["setpriv", "ipvsadm"] })(
  "without the right it is said which",
  async () => {
    const nobody = ["--reuid=65534", "--regid=65534", "--clear-groups"];
    expect(await outputOf("setpriv", [...nobody, ...NODE])).toMatch(
      /^ipvsadm needs CAP_NET_ADMIN: run as root/,
    );
  },
);
