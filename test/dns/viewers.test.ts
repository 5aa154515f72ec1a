import { describe, expect, test } from "vitest";
import { createViewers, MAX_VIEWERS, parseTrusted, type Viewers } from "../../src/dns/viewers.ts";
import { type Address, formatAddress, parseAddress, parseSubnet } from "../../src/model/address.ts";
import { EMPTY_PREFIX } from "../../src/model/name.ts";
import { EMPTY_VIEW, type Scope, type View, WHOLE_VIEW } from "../../src/model/view.ts";
import type { ClientSubnet } from "../../src/wire/message.ts";

/** Viewers in front of a registry that gives everybody a network of its own, but those on no network. */
interface Stage {
  readonly viewers: Viewers;
  /** Where the registry was asked for. */
  readonly looked: string[];
  change(): void;
  /** On which network a client is seen, `everything` or `nothing`. */
  seen(client: string, subnet?: ClientSubnet): string;
}

interface StageOptions {
  readonly trust?: readonly string[];
  readonly scope?: Scope;
  /** Who is on no network. */
  readonly strangers?: readonly string[];
}

function stage({ trust = [], scope = "all", strangers = [] }: StageOptions = {}): Stage {
  const looked: string[] = [];
  let serial = 1;
  const registry = {
    get serial() {
      return serial;
    },
    viewOf(address: Address, length: number): View {
      const text = `${formatAddress(address)}/${length}`;
      looked.push(text);
      if (strangers.includes(text)) return WHOLE_VIEW;
      return { networks: new Set([`${text} at ${serial}`]), namespace: EMPTY_PREFIX };
    },
  };
  const viewers = createViewers({ registry, trusted: trust.map(parseTrusted), scope });
  return {
    viewers,
    looked,
    change() {
      serial += 1;
    },
    seen(client, subnet) {
      const view = viewers.viewOf(client, subnet);
      if (view === EMPTY_VIEW) return "nothing";
      return view.networks ? [...view.networks].join(" ") : "everything";
    },
  };
}

function subnet(text: string): ClientSubnet {
  const { base, length } = parseSubnet(text);
  return { family: base.length === 4 ? 1 : 2, address: base, length };
}

describe("a client is seen at its address", () => {
  test.each([
    ["10.0.1.7", "10.0.1.7/32 at 1"],
    ["fd00::7", "fd00::7/128 at 1"],
    ["fe80::7%eth0", "fe80::7/128 at 1"],
    ["::ffff:10.0.1.7", "10.0.1.7/32 at 1"],
    ["::FFFF:10.0.1.7", "10.0.1.7/32 at 1"],
  ])("%s", (client, expected) => {
    expect(stage().seen(client)).toBe(expected);
  });

  test("or in the subnet that it asks for", () => {
    expect(stage().seen("10.0.0.53", subnet("10.0.1.0/24"))).toBe("10.0.1.0/24 at 1");
    expect(stage().seen("10.0.0.53", subnet("fd00::/56"))).toBe("fd00::/56 at 1");
  });

  test("at its own where it asks for somebody who is not to be told (RFC 7871 section 7.1.2)", () => {
    expect(stage().seen("10.0.0.53", subnet("0.0.0.0/0"))).toBe("10.0.0.53/32 at 1");
  });
});

test("subnets of one address are told apart, and from the address", () => {
  const { seen, looked } = stage();
  for (let again = 0; again < 2; again++) {
    expect(seen("10.0.0.0")).toBe("10.0.0.0/32 at 1");
    expect(seen("10.0.0.53", subnet("10.0.0.0/8"))).toBe("10.0.0.0/8 at 1");
    expect(seen("10.0.0.53", subnet("10.0.0.0/24"))).toBe("10.0.0.0/24 at 1");
  }
  expect(looked).toEqual(["10.0.0.0/32", "10.0.0.0/8", "10.0.0.0/24"]);
});

test("the registry is asked once for each client, and again when it has changed", () => {
  const { seen, looked, change } = stage();
  const clients = ["10.0.1.7", "10.0.1.8"];
  for (const client of [...clients, ...clients]) seen(client);
  expect(looked).toEqual(["10.0.1.7/32", "10.0.1.8/32"]);
  change();
  expect(clients.map((client) => seen(client))).toEqual(["10.0.1.7/32 at 2", "10.0.1.8/32 at 2"]);
  expect(clients.map((client) => seen(client))).toEqual(["10.0.1.7/32 at 2", "10.0.1.8/32 at 2"]);
  expect(looked).toHaveLength(4);
});

test("of so many clients as strangers may make up, those that asked last are known", () => {
  const { seen, looked } = stage();
  const client = (at: number): string => `10.1.${at >> 8}.${at & 255}`;
  for (let at = 0; at < MAX_VIEWERS; at++) seen(client(at));
  seen(client(0));
  expect(looked).toHaveLength(MAX_VIEWERS);
  seen("10.0.0.1"); // one too many: the one that has not asked for longest goes
  seen(client(0));
  expect(looked).toHaveLength(MAX_VIEWERS + 1);
  seen(client(1));
  expect(looked).toHaveLength(MAX_VIEWERS + 2);
});

describe("who is on no network sees", () => {
  const strangers = ["192.0.2.1/32", "192.0.2.0/24"];

  test("everything", () => {
    const { seen } = stage({ strangers });
    expect(seen("192.0.2.1")).toBe("everything");
    expect(seen("10.0.0.53", subnet("192.0.2.0/24"))).toBe("everything");
  });

  test("with a strict scope nothing, whoever asks for it; others see what they saw", () => {
    const { seen } = stage({ strangers, scope: "strict" });
    expect(seen("192.0.2.1")).toBe("nothing");
    expect(seen("10.0.0.53", subnet("192.0.2.0/24"))).toBe("nothing");
    expect(seen("10.0.0.53")).toBe("10.0.0.53/32 at 1");
  });
});

describe("trusted is", () => {
  test.each([
    ["nobody", [], []],
    ["an address alone", ["10.0.0.53"], ["10.0.0.53", "::ffff:10.0.0.53"]],
    ["a subnet", ["10.0.0.0/24"], ["10.0.0.53", "10.0.0.54", "::ffff:10.0.0.53"]],
    ["an IPv6 subnet, by whichever interface", ["fe80::/10"], ["fe80::1%eth0"]],
    [
      "everybody",
      ["0.0.0.0/0", "::/0"],
      ["10.0.0.53", "10.0.0.54", "::ffff:10.0.0.53", "fe80::1%eth0", "10.0.1.1"],
    ],
  ])("%s", (_, trust, expected) => {
    const { viewers } = stage({ trust });
    const clients = ["10.0.0.53", "10.0.0.54", "::ffff:10.0.0.53", "fe80::1%eth0", "10.0.1.1"];
    expect(clients.filter((client) => viewers.trusts(client))).toEqual(expected);
    expect(clients.filter((client) => viewers.trusts(client))).toEqual(expected);
  });

  test("no client for being in a subnet that was asked for", () => {
    const { viewers, seen } = stage({ trust: ["10.0.0.53"] });
    seen("10.0.0.53", subnet("10.0.1.7/32"));
    expect(viewers.trusts("10.0.1.7")).toBe(false);
  });
});

test("who is trusted is an address or a subnet", () => {
  expect(parseTrusted("10.0.0.53")).toEqual({ base: parseAddress("10.0.0.53"), length: 32 });
  expect(parseTrusted("fd00::53")).toEqual({ base: parseAddress("fd00::53"), length: 128 });
  expect(parseTrusted("fd00::/8")).toEqual(parseSubnet("fd00::/8"));
  expect(() => parseTrusted("10.0.0.1/8")).toThrow(
    '"10.0.0.1/8" is an address inside a subnet: write 10.0.0.0/8',
  );
  expect(() => parseTrusted("proxy")).toThrow('"proxy" is not an IPv4 or IPv6 address');
});
