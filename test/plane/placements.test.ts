import { execFileSync } from "node:child_process";
import { afterEach, describe, expect, test } from "vitest";
import { type Namespaces, OWN_NAMESPACE, systemNamespaces } from "../../src/plane/namespace.ts";
import { createPlacements } from "../../src/plane/placements.ts";
import { EMPTY_STATE } from "../../src/plane/plane.ts";
import { testNeeding } from "../needing.ts";

/** Placements of planes that carry nothing, over namespaces by path that a test may swap. */
function stage({ cleanUp = async () => {} }: { readonly cleanUp?: () => Promise<void> } = {}) {
  const at = new Map([[OWN_NAMESPACE, "host"]]);
  const open: string[] = [];
  const held: string[] = [];
  const namespaces: Namespaces = {
    idAt: async (path) => at.get(path),
    async open(path) {
      const id = at.get(path) ?? "";
      held.push(id);
      return {
        id,
        path: `held ${id}`,
        async [Symbol.asyncDispose]() {
          held.splice(held.indexOf(id), 1);
        },
      };
    },
  };
  const placements = createPlacements((netns) => {
    open.push(netns);
    return {
      kind: "nftables",
      apply: async () => ({ carried: 0, troubles: [] }),
      look: async () => ({ kind: "nftables", services: [], strangers: [] }),
      async [Symbol.asyncDispose]() {
        open.splice(open.indexOf(netns), 1);
        await cleanUp();
      },
    };
  }, namespaces);
  const apply = async (...paths: string[]): Promise<string[]> => {
    const wanted = new Map(paths.map((path) => [path, new Set([path])]));
    const { troubles } = await placements.apply({ ...EMPTY_STATE, namespaces: wanted });
    return troubles.map(({ message }) => message);
  };
  return { placements, at, open, held, apply };
}

describe("a namespace", () => {
  test("that is Rota's own has one plane, and that is told", async () => {
    const { at, open, apply } = stage();
    at.set("/proc/42/ns/net", "host");
    expect(await apply("/proc/42/ns/net")).toEqual([
      "in the namespace /proc/42/ns/net: it is that of Rota itself, whose own plane carries there; " +
        "it is not placed there a second time",
    ]);
    expect(open).toEqual([]);
  });

  test("that two paths lead to has one plane", async () => {
    const { at, open, apply } = stage();
    at.set("/proc/42/ns/net", "pod").set("/proc/43/ns/net", "pod");
    expect(await apply("/proc/42/ns/net", "/proc/43/ns/net")).toEqual([]);
    expect(open).toEqual(["held pod"]);
    await apply("/proc/43/ns/net");
    expect(open).toEqual(["held pod"]);
  });

  test("that became another at the same path, as the process has its number from another, is left", async () => {
    const { at, open, held, apply } = stage();
    at.set("/proc/42/ns/net", "one");
    await apply("/proc/42/ns/net");
    at.set("/proc/42/ns/net", "other");
    await apply("/proc/42/ns/net");
    expect([open, held]).toEqual([["held other"], ["other"]]);
    at.set("/proc/42/ns/net", "host");
    expect(await apply("/proc/42/ns/net")).toHaveLength(1);
    expect([open, held]).toEqual([[], []]);
  });

  test("that nothing is at is told, and keeps none of the others", async () => {
    const { at, open, apply } = stage();
    at.set("/run/netns/blue", "blue");
    expect(await apply("/run/netns/red", "/run/netns/blue")).toEqual([
      "in the namespace /run/netns/red: there is none",
    ]);
    expect(open).toEqual(["held blue"]);
  });

  test("that cannot be cleaned up is told, and what is to be done is done", async () => {
    const { at, open, held, apply } = stage({ cleanUp: async () => Promise.reject(new Error("no nft")) });
    at.set("/run/netns/red", "red").set("/run/netns/blue", "blue");
    await apply("/run/netns/red");
    expect(await apply("/run/netns/blue")).toEqual(["in the namespace /run/netns/red: no nft"]);
    expect([open, held]).toEqual([["held blue"], ["blue"]]);
  });

  test("is let go of at the end, though others cannot be cleaned up", async () => {
    const { placements, at, open, held, apply } = stage({
      cleanUp: async () => Promise.reject(new Error("no nft")),
    });
    at.set("/run/netns/red", "red").set("/run/netns/blue", "blue");
    await apply("/run/netns/red", "/run/netns/blue");
    await expect(placements[Symbol.asyncDispose]()).rejects.toThrow("no nft");
    expect([open, held]).toEqual([[], []]);
  });
});

describe("of the system", () => {
  const NAME = `rp-placements-${process.pid}`;
  let isMade = false;
  afterEach(() => {
    if (isMade) execFileSync("ip", ["netns", "del", NAME], { stdio: "ignore" });
    isMade = false;
  });

  testNeeding({ programs: ["ip", "nsenter"], root: true })(
    "one is held, though its path is gone",
    async () => {
      execFileSync("ip", ["netns", "add", NAME]);
      isMade = true;
      await using namespace = await systemNamespaces.open(`/run/netns/${NAME}`);
      expect(await systemNamespaces.idAt(`/run/netns/${NAME}`)).toBe(namespace.id);
      expect(await systemNamespaces.idAt(OWN_NAMESPACE)).not.toBe(namespace.id);
      execFileSync("ip", ["netns", "del", NAME]);
      isMade = false;
      const links = execFileSync("nsenter", [`--net=${namespace.path}`, "ip", "-br", "link"]).toString();
      expect(links).toMatch(/^lo /);
    },
  );

  test.each(["/etc/passwd", "/proc", "/dev/null"])("%s is none", async (path) => {
    await expect(systemNamespaces.open(path)).rejects.toThrow("it is no network namespace");
  });
});
