import { expect, test } from "vitest";
import type { Declaration, Roster } from "../../src/model/declaration.ts";
import { formatPrefix } from "../../src/model/name.ts";
import { formatFinding } from "../../src/sources/report.ts";
import { readServices } from "../../src/sources/services.ts";
import { createFolder, type Folder } from "./folder.ts";
import { fileOf, watching } from "./watching.ts";

/** `web.shop on shop_default`, and `web.shop` of a services file. */
function format({ name, namespace, networks, isOutline }: Declaration): string {
  const own = [name, namespace]
    .filter((labels) => labels !== "")
    .map(formatPrefix)
    .join(".");
  return isOutline ? `${own} on ${networks.join(" ")}` : own;
}

async function read(folder: Folder, names: readonly string[], env: Record<string, string> = {}) {
  const paths = names.map((name) => folder.at(name));
  const { roster, problems, warnings } = await readServices(paths, env);
  const shown = (findings: typeof problems): string[] =>
    findings.map((finding) => formatFinding(finding).replaceAll(`${folder.path}/`, ""));
  return {
    roster,
    services: roster?.services.map(format) ?? [],
    problems: shown(problems),
    warnings: shown(warnings),
  };
}

test("a Compose file is followed: what changes is published, and what does not is the same object", async () => {
  await using folder = await createFolder();
  const file = await folder.write(
    "Shop/compose.yaml",
    "services:\n  web: { image: nginx }\n  db: { image: db }\n",
  );
  await using watch = await watching([file]);
  expect(watch.rosters.at(-1)?.services.map(format)).toEqual([
    "web.shop on shop_default",
    "db.shop on shop_default",
  ]);
  const db = watch.service("db");
  expect(db?.origin).toBe(`${file}:3:3`);
  await folder.write(
    "Shop/compose.yaml",
    "services:\n  web: { image: nginx, x-rota: { ttl: 7 } }\n  db: { image: db }\n  new: { build: . }\n",
  );
  await watch.counts("web, db, new");
  expect(watch.service("web")?.ttl).toBe(7);
  expect(watch.service("db")).toBe(db);

  await folder.write("Shop/compose.yaml", "services:\n  web: { image: nginx, ports: 80 }\n");
  expect(await watch.told("problem")).toBe(
    `${file}:2:31: services.web.ports: must be a list, not 80; what it said before stays`,
  );
  expect(watch.rosters.at(-1)?.services).toHaveLength(3);
});

test("a large Compose file comes out of its thread whole", async () => {
  await using folder = await createFolder();
  const names = Array.from({ length: 2000 }, (_, at) => `service-number-${at}`);
  const text = names.map((name) => `  ${name}: { image: a, hostname: ${name}-host }\n`).join("");
  const file = await folder.write("shop/compose.yaml", `services:\n${text}`);
  expect(Buffer.byteLength(text)).toBeGreaterThan(65_536);
  await using watch = await watching([file], { env: { COMPOSE_PROJECT_NAME: "other" } });
  const { services }: Pick<Roster, "services"> = watch.rosters.at(-1) ?? { services: [] };
  expect(services).toHaveLength(2000);
  const last = services.at(-1);
  expect(last && format(last)).toBe("service-number-1999.other on other_default");
  expect(last?.networkAliases.map(({ name }) => formatPrefix(name))).toEqual([
    "service-number-1999",
    "service-number-1999-host",
  ]);
});

test("Compose files and services files stand side by side, and share networks by the engine's names", async () => {
  await using folder = await createFolder();
  await folder.write("shop/services.yaml", fileOf("mail", "10.0.0.1"));
  await folder.write(
    "shop/nets.yaml",
    "networks: { shop_default: { vips: 172.20.128.0/17 } }\nservices: {}\n",
  );
  await folder.write(
    "shop/compose.yaml",
    "services:\n  web: { image: nginx, deploy: { endpoint_mode: vip } }\n",
  );
  const { services, roster, problems, warnings } = await read(folder, ["shop"]);
  expect({ services, problems, warnings }).toEqual({
    services: ["web.shop on shop_default", "mail"],
    problems: [],
    warnings: [],
  });
  expect(roster?.services[0]?.endpointMode).toBe("vip");
});

test("what is wrong stands where it was written, through anchors and variables too", async () => {
  await using folder = await createFolder();
  await folder.write(
    "shop/compose.yaml",
    [
      "x-base: &base",
      "  image: nginx",
      "services:",
      "  web:",
      "    <<: *base",
      "    labels:",
      "      - rota.ttl=${TTL}",
      "    x-rota:",
      "      order: ${ORDER:-sideways}",
      "  db:",
      "    <<: *base",
      "    networks: [nowhere]",
      "",
    ].join("\n"),
  );
  const { problems } = await read(folder, ["shop/compose.yaml"], { TTL: "soon" });
  expect(problems).toEqual([
    'shop/compose.yaml:7:9: services.web.labels[0]: rota.ttl: "soon" is not a duration: write it as 5s, 1m30s or 500ms',
    'shop/compose.yaml:9:14: services.web.x-rota.order: "sideways" is not allowed: write rotate, random or weighted',
    'shop/compose.yaml:12:16: services.db.networks[0]: network "nowhere" is not declared: declare it under networks',
  ]);
});

test("a variable that is not set is told once and counts as empty, and in a services file is an error", async () => {
  await using folder = await createFolder();
  const text =
    'services:\n  web:\n    image: "a:$TAG"\n    hostname: "${TAG}${KEY:?from\\n the vault}h"\n    command: "${PASSWORD} $$HOME"\n';
  await folder.write("shop/compose.yaml", text);
  await folder.write("services.yaml", text.replace("image:", "labels:"));
  const composed = await read(folder, ["shop/compose.yaml"]);
  // What is set in a .env for images and passwords alone, nobody misses here.
  expect(composed.services).toEqual(["web.shop on shop_default"]);
  expect(composed.warnings).toEqual([
    "shop/compose.yaml:4:15: variable TAG is not set and counts as empty: set it, also if it stands in a .env, which is not read",
    "shop/compose.yaml:4:15: variable KEY is not set (from the vault) and counts as empty: set it, also if it stands in a .env, which is not read",
  ]);
  expect((await read(folder, ["services.yaml"])).problems[0]).toContain(
    "services.yaml:3:13: $TAG is not understood",
  );
});

test("what an override file takes back is not there, and what it says anew counts", async () => {
  await using folder = await createFolder();
  await folder.write(
    "shop/compose.override.yaml",
    "services:\n  web: { image: a, labels: !reset null, expose: !reset [1], ports: !override ['81:81'] }\n",
  );
  const { roster, problems, warnings } = await read(folder, ["shop/compose.override.yaml"]);
  expect({ problems, warnings }).toEqual({ problems: [], warnings: [] });
  expect(roster?.services[0]?.ports.map(({ target }) => target)).toEqual([81]);
});

test("a number that comes from a variable is one, unless it stands in quotes", async () => {
  await using folder = await createFolder();
  await folder.write(
    "shop/compose.yaml",
    'services:\n  web:\n    image: a\n    ports: [{ target: $PORT }, "${PORT}1:81"]\n    x-rota: { max_answers: $MOST }\n',
  );
  const { roster, problems } = await read(folder, ["shop/compose.yaml"], { PORT: "80", MOST: "2" });
  expect(problems).toEqual([]);
  expect(roster?.services[0]?.maxAnswers).toBe(2);
  expect(roster?.services[0]?.ports.map(({ target, published }) => [target, published])).toEqual([
    [80, undefined],
    [81, 801],
  ]);
});

test("what two Compose files say of the zone is told where they say it", async () => {
  await using folder = await createFolder();
  await folder.write("one/compose.yaml", "x-rota: { zone: one.internal }\nservices: {}\n");
  await folder.write("two/compose.yaml", "services: {}\nx-rota: { zone: two.internal }\n");
  const { problems } = await read(folder, ["one/compose.yaml", "two/compose.yaml"]);
  expect(problems).toEqual([
    `two/compose.yaml:2:11: zone: is at odds with one/compose.yaml:1:11: say it in one file, or alike`,
  ]);
});

test("a file and its override outline one service, whose later words count", async () => {
  await using folder = await createFolder();
  await folder.write(
    "shop/compose.override.yaml",
    "services:\n  web:\n    deploy: { labels: { rota.order: random } }\n    labels: [rota.ttl=9]\n    x-rota: { aliases: [www] }\n",
  );
  await folder.write(
    "shop/compose.yaml",
    "networks: { front: }\nservices:\n  web: { networks: [front], x-rota: { ttl: 7, max_answers: 2 } }\n  db: {}\n",
  );
  for (const names of [["shop"], ["shop/compose.yaml", "shop/compose.override.yaml"]]) {
    const { services, roster, problems, warnings } = await read(folder, names);
    expect({ services, problems, warnings }).toEqual({
      services: ["web.shop on shop_front", "db.shop on shop_default"],
      problems: [],
      warnings: [],
    });
    const [web] = roster?.services ?? [];
    expect(web).toMatchObject({ ttl: 9, order: "random", maxAnswers: 2, isOutline: true });
    expect(web?.aliases.map(formatPrefix)).toEqual(["www"]);
    expect(web?.origin).toBe(`${folder.at("shop/compose.yaml")}:3:3`);
  }
});

test("an override is followed, and what neither file changed is the same object", async () => {
  await using folder = await createFolder();
  await folder.write("shop/compose.yaml", "services:\n  web: { image: a }\n  db: { image: a }\n");
  const ttl = (web: number, db: number): string =>
    `services:\n  web: { x-rota: { ttl: ${web} } }\n  db: { x-rota: { ttl: ${db} } }\n`;
  await folder.write("shop/compose.override.yaml", ttl(3, 4));
  await using watch = await watching([folder.at("shop")]);
  const [web, db] = watch.rosters.at(-1)?.services ?? [];
  expect([web?.ttl, db?.ttl]).toEqual([3, 4]);
  await folder.write("shop/compose.override.yaml", ttl(3, 5));
  await watch.watch.reload();
  expect(watch.service("web")).toBe(web);
  expect(watch.service("db")?.ttl).toBe(5);
});

test("a services file of the same name stays a declaration of its own", async () => {
  await using folder = await createFolder();
  await folder.write("shop/compose.yaml", "services:\n  web: { image: a }\n");
  await folder.write("shop/services.yaml", "services:\n  web: { namespace: shop }\n");
  expect((await read(folder, ["shop"])).services).toEqual(["web.shop on shop_default", "web.shop"]);
});

test("an override is of the project that its file names, and follows when that is called otherwise", async () => {
  await using folder = await createFolder();
  const web = "services:\n  web: { image: a }\n";
  await folder.write("dir/compose.yaml", `name: shop\n${web}`);
  await folder.write("dir/compose.override.yaml", "services:\n  web: { x-rota: { ttl: 3 } }\n");
  await folder.write("dir/compose.other.yaml", "services:\n  db: { image: a }\n");
  await using watch = await watching([folder.at("dir")]);
  const shown = () => watch.rosters.at(-1)?.services.map(format);
  expect(shown()).toEqual(["web.shop on shop_default", "db.dir on dir_default"]);
  expect(watch.service("web")?.ttl).toBe(3);
  await folder.write("dir/compose.yaml", `name: store\n${web}`);
  await watch.watch.reload();
  expect(shown()).toEqual(["web.store on store_default", "db.dir on dir_default"]);
  // An override that changes alone is read beside a file that was read before.
  await folder.write("dir/compose.override.yaml", "services:\n  web: { x-rota: { ttl: 4 } }\n");
  await watch.watch.reload();
  expect(shown()).toEqual(["web.store on store_default", "db.dir on dir_default"]);
  expect(watch.service("web")?.ttl).toBe(4);
});
