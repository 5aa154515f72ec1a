import { expect } from "vitest";
import { testNeeding } from "../needing.ts";
import { listOf, readDig } from "./read-dig.ts";
import { linesOf } from "./run.ts";
import { startServe } from "./serve.ts";
import { SERVICES, VIP } from "./services.ts";
import { shared } from "./shared.ts";

// What clients that show a whole reply get. They try once and would wait longer than a test may take.

const serve = shared(async () => startServe(SERVICES));

const KDIG_ONCE = ["+retry=0", "+timeout=60"];

type Ask = (at: readonly string[], question: readonly string[]) => readonly string[];

const dig: Ask = (at, question) => ["dig", ...at, "@127.0.0.1", "+tries=1", "+timeout=60", ...question];
// Left to itself, kdig asks in small letters.
const kdig: Ask = (at, question) => ["kdig", ...at, "@127.0.0.1", ...KDIG_ONCE, "+noidn", ...question];
const drill: Ask = (at, question) => ["drill", ...at, ...question, "@127.0.0.1"];

const CLIENTS: readonly { client: string; program: string; ask: Ask }[] = [
  { client: "dig", program: "dig", ask: dig },
  { client: "dig +tcp", program: "dig", ask: (at, question) => dig(at, ["+tcp", ...question]) },
  { client: "kdig", program: "kdig", ask: kdig },
  { client: "kdig +tcp", program: "kdig", ask: (at, question) => kdig(at, ["+tcp", ...question]) },
  { client: "drill", program: "drill", ask: drill },
  { client: "drill -t", program: "drill", ask: (at, question) => drill(["-t", ...at], question) },
];

const SOA = "authority: rota.internal. 5 SOA";

const QUESTIONS: readonly { question: string; reply: readonly string[] }[] = [
  {
    question: "web.rota.internal A",
    reply: ["NOERROR aa rd", `web.rota.internal. 5 A ${VIP}`],
  },
  {
    question: "www.rota.internal A",
    reply: ["NOERROR aa rd", `www.rota.internal. 5 A ${VIP}`],
  },
  {
    question: "web. A",
    reply: ["NOERROR aa rd", `web. 5 A ${VIP}`],
  },
  {
    question: "wEb.RoTa.InTeRnAl A",
    reply: ["NOERROR aa rd", `wEb.RoTa.InTeRnAl. 5 A ${VIP}`],
  },
  {
    question: "tasks.web.rota.internal A",
    reply: [
      "NOERROR aa rd",
      "tasks.web.rota.internal. 5 A 127.0.1.1",
      "tasks.web.rota.internal. 5 A 127.0.1.2",
    ],
  },
  {
    question: "2.web.rota.internal A",
    reply: ["NOERROR aa rd", "2.web.rota.internal. 5 A 127.0.1.2"],
  },
  {
    question: "blue.rota.internal A",
    reply: ["NOERROR aa rd", "blue.rota.internal. 5 A 127.0.1.1"],
  },
  {
    question: "api.rota.internal A",
    reply: [
      "NOERROR aa rd",
      "api.rota.internal. 5 A 127.0.2.1",
      "api.rota.internal. 5 A 127.0.2.2",
      "api.rota.internal. 5 A 127.0.2.3",
    ],
  },
  {
    question: "cart.shop.rota.internal A",
    reply: ["NOERROR aa rd", "cart.shop.rota.internal. 5 A 127.0.3.2"],
  },
  {
    question: "dual.rota.internal AAAA",
    reply: ["NOERROR aa rd", "dual.rota.internal. 5 AAAA ::1"],
  },
  {
    question: "_http._tcp.web.rota.internal SRV",
    reply: [
      "NOERROR aa rd",
      "_http._tcp.web.rota.internal. 5 SRV 0 0 80 web.rota.internal.",
      `additional: web.rota.internal. 5 A ${VIP}`,
    ],
  },
  {
    question: "_http._tcp.tasks.web.rota.internal SRV",
    reply: [
      "NOERROR aa rd",
      "_http._tcp.tasks.web.rota.internal. 5 SRV 0 1 8080 blue.web.rota.internal.",
      "_http._tcp.tasks.web.rota.internal. 5 SRV 0 1 8080 green.web.rota.internal.",
      "additional: blue.web.rota.internal. 5 A 127.0.1.1",
      "additional: green.web.rota.internal. 5 A 127.0.1.2",
    ],
  },
  {
    question: "_grpc._tcp.api.rota.internal SRV",
    reply: [
      "NOERROR aa rd",
      "_grpc._tcp.api.rota.internal. 5 SRV 0 1 9000 b.api.rota.internal.",
      "_grpc._tcp.api.rota.internal. 5 SRV 0 1 9009 c.api.rota.internal.",
      "_grpc._tcp.api.rota.internal. 5 SRV 0 2 9000 a.api.rota.internal.",
      "additional: a.api.rota.internal. 5 A 127.0.2.1",
      "additional: b.api.rota.internal. 5 A 127.0.2.2",
      "additional: c.api.rota.internal. 5 A 127.0.2.3",
    ],
  },
  {
    question: "-x 127.0.1.2",
    reply: ["NOERROR aa rd", "2.1.0.127.in-addr.arpa. 5 PTR green.web.rota.internal."],
  },
  {
    question: `-x ${VIP}`,
    reply: ["NOERROR aa rd", "80.0.64.127.in-addr.arpa. 5 PTR web.rota.internal."],
  },
  {
    question: "-x ::1",
    reply: ["NOERROR aa rd", `1.${"0.".repeat(31)}ip6.arpa. 5 PTR d.dual.rota.internal.`],
  },
  {
    question: "web.rota.internal TXT",
    reply: ["NOERROR aa rd", 'web.rota.internal. 5 TXT "team=shop" "tier=1"'],
  },
  {
    question: "web.rota.internal ANY",
    reply: ["NOERROR aa rd", `web.rota.internal. 5 A ${VIP}`],
  },
  {
    question: "rota.internal SOA",
    reply: ["NOERROR aa rd", "rota.internal. 5 SOA"],
  },
  {
    question: "rota.internal NS",
    reply: [
      "NOERROR aa rd",
      "rota.internal. 5 NS ns.rota.internal.",
      "additional: ns.rota.internal. 5 A 127.0.0.1",
    ],
  },
  {
    question: "web.rota.internal AAAA",
    reply: ["NOERROR aa rd", SOA],
  },
  {
    question: "_tcp.web.rota.internal A",
    reply: ["NOERROR aa rd", SOA],
  },
  {
    question: "idle.rota.internal A",
    reply: ["NOERROR aa rd", SOA],
  },
  {
    question: "sick.rota.internal A",
    reply: ["SERVFAIL rd"],
  },
  {
    question: "nosuch.rota.internal A",
    reply: ["NXDOMAIN aa rd", SOA],
  },
  {
    question: "nosuch. A",
    reply: ["NXDOMAIN aa rd", "authority: . 5 SOA"],
  },
  {
    question: "-x 127.0.1.99",
    reply: ["NXDOMAIN aa rd", "authority: 1.0.127.in-addr.arpa. 5 SOA"],
  },
  {
    question: "example.com A",
    reply: ["REFUSED rd"],
  },
];

for (const { client, program, ask } of CLIENTS) {
  for (const { question, reply } of QUESTIONS) {
    testNeeding({ programs: [program] })(`${client} asks ${question}`, async () => {
      const { port } = await serve();
      const lines = await linesOf(ask(["-p", `${port}`], question.split(" ")));
      expect(listOf(readDig(`${lines.join("\n")}\n`))).toEqual(reply);
    });
  }
}

const SHORT: readonly { question: string; prints: readonly string[] }[] = [
  { question: "web.rota.internal", prints: [VIP] },
  { question: "api.rota.internal", prints: ["127.0.2.1", "127.0.2.2", "127.0.2.3"] },
  { question: "-x 127.0.1.1", prints: ["blue.web.rota.internal."] },
  { question: "nosuch.rota.internal", prints: [] },
];

for (const { question, prints } of SHORT) {
  testNeeding({ programs: ["dig"] })(`dig +short prints the data of ${question} alone`, async () => {
    const { port } = await serve();
    const lines = await linesOf(["dig", "@127.0.0.1", "-p", `${port}`, "+short", ...question.split(" ")]);
    expect(lines.toSorted()).toEqual(prints);
  });
}
