import { expect } from "vitest";
import { testNeeding } from "../needing.ts";
import { readDig } from "./read-dig.ts";
import { run } from "./run.ts";
import { startServe } from "./serve.ts";
import { SERVICES } from "./services.ts";
import { shared } from "./shared.ts";

// RFC 8906 section 8: what every server must answer rightly, by the commands that the RFC itself gives.

const serve = shared(async () => startServe(SERVICES));

const SOA = ["rota.internal. 5 SOA"];
const EDNS = ["EDNS: version: 0, flags:; udp: 1232"];
const EDNS_DO = ["EDNS: version: 0, flags: do; udp: 1232"];

interface Expected {
  readonly dig: string;
  readonly header: string;
  readonly edns: readonly string[];
  readonly answers?: readonly string[];
  readonly authority?: readonly string[];
}

const PLAIN: readonly Expected[] = [
  // Section 8.1.1: is the server there?
  { dig: "+noad soa", header: "NOERROR aa", edns: [], answers: SOA },
  // Section 8.1.2: an unknown type
  { dig: "+noad type666", header: "NOERROR aa", edns: [], authority: SOA },
  // Section 8.1.3: header bits. A reply has none of them but RD, and CD (RFC 4035 section 3.2.2), which are copied.
  { dig: "+ad soa", header: "NOERROR aa", edns: [], answers: SOA },
  { dig: "+noad +cd soa", header: "NOERROR aa cd", edns: [], answers: SOA },
  { dig: "+noad +rec soa", header: "NOERROR aa rd", edns: [], answers: SOA },
  { dig: "+noad +zflag soa", header: "NOERROR aa", edns: [], answers: SOA },
  { dig: "+noad +aaflag soa", header: "NOERROR aa", edns: [], answers: SOA },
  // Section 8.1.4: an unknown opcode
  { dig: "+noad +opcode=15 +header-only", header: "NOTIMP", edns: [] },
  // Section 8.1.5: TCP
  { dig: "+noad +tcp soa", header: "NOERROR aa", edns: [], answers: SOA },
];

const EXTENDED: readonly Expected[] = [
  // Section 8.2.1: version 0
  { dig: "+nocookie +edns=0 soa", header: "NOERROR aa", edns: EDNS, answers: SOA },
  // Section 8.2.2: a version that nobody knows
  { dig: "+nocookie +edns=100 +noednsneg soa", header: "BADVERS", edns: EDNS },
  // Section 8.2.3: an unknown option
  { dig: "+nocookie +ednsopt=100 soa", header: "NOERROR aa", edns: EDNS, answers: SOA },
  // Section 8.2.4: unknown flags
  { dig: "+nocookie +ednsflags=0x80 soa", header: "NOERROR aa", edns: EDNS, answers: SOA },
  // Section 8.2.5: an unknown version with unknown flags
  { dig: "+nocookie +edns=100 +noednsneg +ednsflags=0x80 soa", header: "BADVERS", edns: EDNS },
  // Section 8.2.6: an unknown version with an unknown option
  { dig: "+nocookie +edns=100 +noednsneg +ednsopt=100 soa", header: "BADVERS", edns: EDNS },
  // Section 8.2.7: a reply that has to be cut short; and one of the same limits that has not
  {
    dig: "+nocookie +dnssec +bufsize=512 +ignore dnskey",
    header: "NOERROR aa",
    edns: EDNS_DO,
    authority: SOA,
  },
  // Section 8.2.8: DO
  { dig: "+nocookie +dnssec soa", header: "NOERROR aa", edns: EDNS_DO, answers: SOA },
  // Section 8.2.9: an unknown version with DO
  { dig: "+nocookie +edns=100 +noednsneg +dnssec soa", header: "BADVERS", edns: EDNS_DO },
  // Section 8.2.10: known options, which need not be known here
  { dig: "+cookie soa", header: "NOERROR aa", edns: EDNS, answers: SOA },
  { dig: "+nocookie +nsid soa", header: "NOERROR aa", edns: EDNS, answers: SOA },
  { dig: "+nocookie +expire soa", header: "NOERROR aa", edns: EDNS, answers: SOA },
  { dig: "+nocookie +subnet=0/0 soa", header: "NOERROR aa", edns: EDNS, answers: SOA },
  { dig: "+nocookie +edns +tcp soa", header: "NOERROR aa", edns: EDNS, answers: SOA },
];

for (const row of PLAIN) testReply(`+norec +noedns ${row.dig}`, row);
for (const row of EXTENDED) testReply(`+norec ${row.dig}`, row);

// Section 8.2.7 again, with a reply that does not fit: dig warns in its own words of one that is malformed.
testNeeding({ programs: ["dig"] })("a reply cut short has its OPT and what records fit", async () => {
  const text = await ask("crowd.rota.internal a +norec +nocookie +dnssec +bufsize=512 +ignore");
  const { header, edns, answers } = readDig(text);
  expect({ header, edns }).toEqual({ header: "NOERROR aa tc", edns: EDNS_DO });
  expect(answers.length).toBeGreaterThan(20);
  expect(text).not.toContain("WARNING");
});

function testReply(words: string, { header, edns, answers = [], authority = [] }: Expected): void {
  testNeeding({ programs: ["dig"] })(`dig ${words}`, async () => {
    const printed = readDig(await ask(`rota.internal ${words}`));
    expect(printed).toEqual({ header, edns, answers, authority, additionals: [] });
  });
}

async function ask(words: string): Promise<string> {
  const { port } = await serve();
  const at = ["@127.0.0.1", "-p", `${port}`, "+tries=1", "+timeout=60"];
  const { stdout } = await run(["dig", ...at, ...words.split(" ")]);
  return stdout;
}
