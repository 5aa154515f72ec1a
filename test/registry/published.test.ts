import { describe, expect, test } from "vitest";
import { formatPrefix } from "../../src/model/name.ts";
import { ownName } from "../../src/registry/names.ts";
import { createRegistry, type Registry } from "../../src/registry/registry.ts";
import { forgetfulStore } from "../../src/registry/vips.ts";
import type { PortInput, ServicesFile } from "../../src/schema/input.ts";
import { roster, stillClock } from "../dns/served.ts";

const published = (...ports: PortInput[]) => ({ endpoint_mode: "dnsrr" as const, ports });

function registryOf(...files: ServicesFile[]) {
  const registry = createRegistry({ clock: stillClock(), store: forgetfulStore });
  const sources = files.map((file, at) => {
    const source = registry.open(`source-${at}`);
    source.publish(roster(file));
    return source;
  });
  return { registry, sources };
}

/** What each service has, as `web: 80/tcp`, and why it has not all. */
function told(registry: Registry): string[] {
  return [...registry.services()].flatMap((service) => {
    const name = formatPrefix(ownName(service.declaration));
    const ports = service.published.map((one) => `${one.published}/${one.port.protocol}`);
    const { publishProblem } = service;
    const problem = publishProblem === undefined ? [] : `${name}! ${publishProblem}`;
    return [`${name}: ${ports.join(" ")}`].concat(problem);
  });
}

describe("a port of the nodes is one service's", () => {
  test("that of the first declared, and the other is told whose", () => {
    const { registry } = registryOf({ services: { web: published("80:8080"), api: published("80:9090") } });
    expect(told(registry)).toEqual([
      "web: 80/tcp",
      "api: ",
      "api! port 80/tcp is not published: web (services.yaml:services.web) has it",
    ]);
  });

  test("whatever the protocol of the other", () => {
    const { registry } = registryOf({ services: { web: published("53:53"), api: published("53:53/udp") } });
    expect(told(registry)).toEqual(["web: 53/tcp", "api: 53/udp"]);
  });

  test("and goes to who is next when the first gives it back", () => {
    const { registry, sources } = registryOf(
      { services: { web: published("80:8080") } },
      { services: { api: published("80:9090") } },
    );
    sources[0]?.publish(roster({ services: { web: published("81:8080") } }));
    expect(told(registry)).toEqual(["web: 81/tcp", "api: 80/tcp"]);
    sources[0]?.publish(roster({ services: { web: published("80:8080") } }));
    expect(told(registry)).toEqual([
      "web: 80/tcp",
      "api: ",
      "api! port 80/tcp is not published: web (services.yaml:services.web) has it",
    ]);
  });

  test("and a change of order moves it", () => {
    const services = { web: published("80:8080"), api: published("80:9090") };
    const { registry, sources } = registryOf({ services });
    sources[0]?.publish(roster({ services: { api: services.api, web: services.web } }));
    expect(told(registry).filter((line) => line.includes("80/tcp"))).toContain("api: 80/tcp");
  });
});

describe("a port that is left open", () => {
  const auto = { target: 8080, published: "auto" as const };

  test("is one of 30000 to 32767, the same wherever the same is declared", () => {
    const file = { services: { web: published(auto), api: published(auto) } };
    const lines = told(registryOf(file).registry);
    expect(lines).toEqual(told(registryOf(file).registry));
    const numbers = lines.map((line) => Number(/ (\d+)\/tcp$/.exec(line)?.[1]));
    for (const number of numbers) expect(number >= 30_000 && number <= 32_767, String(number)).toBe(true);
    expect(new Set(numbers).size).toBe(2);
  });

  test("stays through changes of its service", () => {
    const { registry, sources } = registryOf({ services: { web: published(auto) } });
    const before = told(registry);
    sources[0]?.publish(roster({ services: { web: { ...published(auto), ttl: "9s" } } }));
    expect(told(registry)).toEqual(before);
  });

  test("gives way to who asks for it, and only then moves", () => {
    const { registry, sources } = registryOf({ services: { web: published(auto) } }, {});
    const number = /\d+/.exec(told(registry)[0] ?? "")?.[0] ?? "";
    sources[1]?.publish(roster({ services: { fixed: published(`${number}:80`) } }));
    const [web, fixed] = told(registry);
    expect(fixed).toBe(`fixed: ${number}/tcp`);
    expect(web).toMatch(/^web: 3\d{4}\/tcp$/);
    expect(web).not.toBe(`web: ${number}/tcp`);
  });

  test("is told when none is left, and freed ones are given again", () => {
    const ports = Array.from({ length: 2769 }, (_, at) => ({ ...auto, target: at + 1 }));
    const { registry, sources } = registryOf({ services: { web: published(...ports) } });
    const [web, problem, ...rest] = told(registry);
    expect(web?.match(/\/tcp/g)?.length).toBe(2768);
    expect(problem).toBe("web! port 2769 is not published: 30000 to 32767 are all taken");
    expect(rest).toEqual([]);
    sources[0]?.publish(roster({ services: { api: published(auto) } }));
    expect(told(registry)[0]).toMatch(/^api: 3\d{4}\/tcp$/);
  });

  test("goes to who found none, as soon as one is free, and of the same protocol", () => {
    const ports = Array.from({ length: 2768 }, (_, at) => ({ ...auto, target: at + 1 }));
    const late = { services: { late: published(auto, { ...auto, protocol: "udp" as const }) } };
    const { registry, sources } = registryOf({ services: { web: published(...ports) } }, late);
    const full = "late! port 8080 is not published: 30000 to 32767 are all taken";
    expect(told(registry).slice(1)).toEqual([expect.stringMatching(/^late: \d+\/udp$/), full]);
    sources[0]?.publish(roster({ services: { web: published(...ports.slice(1)) } }));
    expect(told(registry).slice(1)).toEqual([expect.stringMatching(/^late: \d+\/tcp \d+\/udp$/)]);
    sources[1]?.publish(roster({ services: {} }));
    sources[0]?.publish(roster({ services: { web: published(...ports) } }));
    sources[1]?.publish(roster(late));
    expect(told(registry).at(-1)).toBe(full);
    sources[0]?.publish(roster({ services: {} }));
    expect(told(registry)).toEqual([expect.stringMatching(/^late: \d+\/tcp \d+\/udp$/)]);
  });
});

test("what an engine publishes is the engine's", () => {
  const { registry, sources } = registryOf({});
  const { services, ...rest } = roster({ services: { web: published("80:8080") } });
  sources[0]?.publish({
    ...rest,
    services: services.map((one) => Object.assign({}, one, { publishes: false })),
  });
  expect(told(registry)).toEqual(["web: "]);
});
