import { readFile } from "node:fs/promises";
import type { Behind, Mesh, NodeName, Service } from "./mesh.ts";

/** What is published on the two nodes, by what the README calls it. */
export const SERVICES: Readonly<Record<string, Service>> = {
  "tasks on both": { port: 30_080, tasks: ["a1", "a2", "b1", "b2"] },
  "tasks on n2": { port: 30_081, tasks: ["b1", "b2"] },
  "tasks on both, `local`": { port: 30_082, tasks: ["a1", "b1"], mode: "local" },
  "tasks on n2, `local`": { port: 30_083, tasks: ["b1"], mode: "local" },
  "tasks on n2, `mode: host`": { port: 30_084, tasks: ["b1"], mode: "host" },
  "n2's own process": { port: 30_085, tasks: ["n2"] },
  "a VIP, tasks on both": {
    port: 80,
    tasks: ["a1", "a2", "b1", "b2"],
    vips: { 4: "10.64.0.1", 6: "fd64::1" },
  },
};

interface Question {
  readonly place: string;
  readonly node: NodeName;
  readonly service: string;
}

const ASKERS: readonly Question[] = ["ext", "c1", "a1", "n1", "c2", "n2"].map((place) => ({
  place,
  node: "n1",
  service: "tasks on both",
}));
const FROM_OUTSIDE: readonly Question[] = Object.keys(SERVICES)
  .slice(1, -1)
  .map((service) => ({ place: "ext", node: "n1", service }));
const AT_THE_OTHER: readonly Question[] = ["tasks on n2, `local`", "tasks on n2, `mode: host`"].map(
  (service) => ({
    place: "ext",
    node: "n2",
    service,
  }),
);

const OF_A_VIP: readonly Question[] = ["c1", "a1", "n1"].map((place) => ({
  place,
  node: "n1",
  service: "a VIP, tasks on both",
}));

const QUESTIONS: Readonly<Record<Behind, readonly Question[]>> = {
  routed: [...ASKERS, ...FROM_OUTSIDE, ...AT_THE_OTHER, ...OF_A_VIP],
  tunnel: ASKERS,
  bridge: ASKERS,
  vxlan: ASKERS,
};

/** Asks all that the README tells of, first where the nodes know each other, then where they do not. */
export async function askRows(mesh: Mesh, behind: Behind): Promise<string[]> {
  const found = new Map<string, string>();
  for (const others of ["known", "unknown"] as const) {
    await Promise.all(
      (["n1", "n2"] as const).map(async (node) =>
        mesh.apply(node, mesh.stateOf(node, Object.values(SERVICES), others)),
      ),
    );
    for (const question of QUESTIONS[behind]) {
      found.set(JSON.stringify([others, question]), await askAll(mesh, question));
    }
  }
  return QUESTIONS[behind].map((question) => {
    const [known, unknown] = ["known", "unknown"].map((others) =>
      found.get(JSON.stringify([others, question])),
    );
    const { place, node, service } = question;
    return `| ${[behind, place, node, service, known, unknown].join(" | ")} |`;
  });
}

/** By each protocol and family, which the row leaves out where all are alike. */
async function askAll(mesh: Mesh, { place, node, service }: Question): Promise<string> {
  const { port = 0, vips } = SERVICES[service] ?? {};
  const ways = (["tcp", "udp"] as const).flatMap((protocol) =>
    ([4, 6] as const).map((family) => ({ protocol, family })),
  );
  const results = await Promise.all(
    ways.map(async ({ protocol, family }) => {
      const seen = await mesh.ask(place, { node, host: vips?.[family], port, protocol, family });
      return [seen, `${protocol} over IPv${family}: ${seen}`] as const;
    }),
  );
  const alike = new Set(results.map(([seen]) => seen));
  return alike.size === 1 ? [...alike].join("") : results.map(([, told]) => told).join("; ");
}

/** The rows of the README's table, as they stand there but for blanks. */
export async function toldRows(behind: Behind): Promise<string[]> {
  const text = await readFile(new URL("README.md", import.meta.url), "utf8");
  return text
    .split("\n")
    .map((line) => line.replaceAll(/ +/g, " ").trim())
    .filter((line) => line.startsWith(`| ${behind} |`));
}
