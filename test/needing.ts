import { execFileSync } from "node:child_process";
import { networkInterfaces } from "node:os";
import { test, type TestContext } from "vitest";

/** What a test cannot do without, beyond Node and npm. */
export interface Needs {
  /** Programs on the PATH. */
  readonly programs?: readonly string[];
  /** Whether it makes namespaces or mounts. */
  readonly root?: boolean;
  /** Whether it listens on ::1. */
  readonly ipv6?: boolean;
  /** Whether it installs packages. */
  readonly registry?: boolean;
}

/** Set where everything is there, as in CI: then what is missing is a failure. */
const SKIP_NONE = process.env["ROTA_TEST_SKIP_NONE"] === "1";

/** A `test` that is skipped, with the reason, where something is missing that it needs. */
export function testNeeding(
  needs: Needs,
): (name: string, run: (context: TestContext) => void | Promise<void>) => void {
  return (name, run) => {
    test(name, async (context) => {
      const missing = missingOf(needs);
      if (missing.length > 0 && SKIP_NONE) throw new Error(`cannot run here: ${missing.join(", ")}`);
      if (missing.length > 0) context.skip(missing.join(", "));
      await run(context);
    });
  };
}

export function missingOf({ programs = [], root = false, ipv6 = false, registry = false }: Needs): string[] {
  return [
    ...programs.filter((program) => !isProgram(program)).map((program) => `${program} is not installed`),
    ...(root && process.getuid?.() !== 0 ? ["not root"] : []),
    ...(ipv6 && !hasIpv6() ? ["no IPv6 on loopback"] : []),
    ...(registry && !isRegistry() ? ["the npm registry cannot be reached"] : []),
  ];
}

function isProgram(name: string): boolean {
  return succeeds("sh", ["-c", `command -v ${name}`]);
}

let reached: boolean | undefined;

function isRegistry(): boolean {
  reached ??= succeeds("npm", ["ping", "--fetch-retries=0", "--fetch-timeout=10000"]);
  return reached;
}

function succeeds(program: string, args: readonly string[]): boolean {
  try {
    execFileSync(program, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

function hasIpv6(): boolean {
  return Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === "::1"));
}
