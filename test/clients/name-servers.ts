import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { findFreePort } from "../ask/servers.ts";
import type { Certificate } from "../health/certificates.ts";
import { linesOf } from "./run.ts";

/** Real name servers as upstreams, each in the foreground, on a port of its own, with nothing but {@link openZone}'s zone. */

export type ServerKind = "nsd" | "unbound" | "named" | "kresd" | "dnsmasq";

export interface NameServer extends AsyncDisposable {
  readonly port: number;
  /** Where it speaks TLS. */
  readonly tlsPort: number;
  readonly httpsPort: number;
  /** Sends a signal: SIGSTOP leaves its socket, which nobody reads any more. */
  signal(name: "SIGSTOP" | "SIGCONT"): void;
  /** Ends it as a machine that loses power would, and resolves when its port is free. */
  kill(): Promise<void>;
}

export interface ServerOptions {
  /** The file of its zone; none: it has none. */
  readonly zone?: string;
  /** With it, it speaks TLS, too. */
  readonly certificate?: Certificate;
  /** A port on 127.0.0.1 that it asks for everything beneath `example`. */
  readonly forwardTo?: number;
  /** @default a free one */
  readonly port?: number;
  /** What runs a command somewhere else, in front of it: see `Namespace`. */
  readonly enter?: readonly string[];
}

/** Of `TXT big.example`: 10 strings, more than any datagram holds. */
export const BIG = Array.from({ length: 10 }, (_, at) => String(at).repeat(200));

const ZONE = `$ORIGIN example.
$TTL 300
@ SOA ns hostmaster 1 3600 600 86400 7
@ NS ns
ns A 192.0.2.53
www A 192.0.2.1
www AAAA 2001:db8::1
alias CNAME second
second CNAME www
odd TYPE65400 \\# 5 00c00cff07
${BIG.map((text) => `big TXT "${text}"`).join("\n")}
`;

/** The zone `example` in a file, signed as `ldns-signzone` does it. */
export interface ZoneFile extends AsyncDisposable {
  readonly path: string;
}

export async function openZone(): Promise<ZoneFile> {
  const folder = await mkdtemp(join(tmpdir(), "rota-zone-"));
  const [plain, path] = [join(folder, "plain"), join(folder, "signed")];
  await writeFile(plain, ZONE);
  // It writes the key to where it runs, whatever it is told.
  const inFolder = ["env", "-C", folder];
  const [key = ""] = await linesOf([...inFolder, "ldns-keygen", "-a", "ECDSAP256SHA256", "example."]);
  await linesOf([...inFolder, "ldns-signzone", "-f", path, plain, key]);
  return { path, [Symbol.asyncDispose]: async () => rm(folder, { recursive: true }) };
}

/** Starts a server and resolves when it can be asked. */
export async function startServer(kind: ServerKind, options: ServerOptions = {}): Promise<NameServer> {
  const { certificate, enter = [] } = options;
  const port = options.port ?? (await findFreePort());
  const tlsPort = await findFreePort();
  const httpsPort = await findFreePort();
  const folder = await mkdtemp(join(tmpdir(), `rota-${kind}-`));
  if (certificate) {
    await writeFile(join(folder, "cert.pem"), certificate.cert);
    await writeFile(join(folder, "key.pem"), certificate.key);
  }
  const { config, command, isReady } = PROGRAMS[kind]({ ...options, folder, port, tlsPort, httpsPort });
  await writeFile(join(folder, "config"), config);

  const [program = "", ...words] = [...enter, ...command];
  const child = spawn(program, words, { stdio: ["ignore", "pipe", "pipe"] });
  const gone = once(child, "close");
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill("SIGCONT");
    child.kill(signal);
    await gone;
    await rm(folder, { recursive: true, force: true });
  };
  const said: string[] = [];
  try {
    await new Promise<void>((resolve, reject) => {
      const hear = (line: string): void => {
        said.push(line);
        if (isReady.test(line)) resolve();
      };
      createInterface(child.stdout).on("line", hear);
      createInterface(child.stderr).on("line", hear);
      child.once("error", reject);
      child.once("close", () => reject(new Error(`${kind} did not start: ${said.join("\n")}`)));
    });
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
  return {
    port,
    tlsPort,
    httpsPort,
    signal: (name) => void child.kill(name),
    kill: async () => end("SIGKILL"),
    // Not SIGKILL: nsd's processes would outlive the first of them.
    [Symbol.asyncDispose]: async () => end("SIGTERM"),
  };
}

interface Written extends ServerOptions {
  readonly folder: string;
  readonly port: number;
  readonly tlsPort: number;
  readonly httpsPort: number;
}

interface Program {
  readonly config: string;
  readonly command: readonly string[];
  /** The line that it writes when its sockets are open. */
  readonly isReady: RegExp;
}

const PROGRAMS: Readonly<Record<ServerKind, (written: Written) => Program>> = {
  nsd: ({ folder, port, zone = "" }) => ({
    config: `server:
  ip-address: 127.0.0.1@${port}
  username: ""
  zonesdir: "${folder}"
  database: ""
  pidfile: ""
  xfrdfile: "${folder}/xfrd"
  xfrdir: "${folder}"
  zonelistfile: "${folder}/zones"
  server-count: 1
remote-control:
  control-enable: no
zone:
  name: example
  zonefile: "${zone}"
`,
    command: ["nsd", "-d", "-c", `${folder}/config`],
    isReady: /nsd started/,
  }),

  unbound: ({ folder, port, tlsPort, httpsPort, zone, certificate, forwardTo }) => ({
    config: `server:
  interface: 127.0.0.1@${port}
  ${certificate ? `interface: 127.0.0.1@${tlsPort}\n  tls-port: ${tlsPort}` : ""}
  ${certificate ? `interface: 127.0.0.1@${httpsPort}\n  https-port: ${httpsPort}` : ""}
  ${certificate ? `tls-service-key: "${folder}/key.pem"\n  tls-service-pem: "${folder}/cert.pem"` : ""}
  username: ""
  chroot: ""
  directory: "${folder}"
  pidfile: ""
  use-syslog: no
  do-ip6: no
  do-not-query-localhost: no
  module-config: iterator
remote-control:
  control-enable: no
${zone === undefined ? "" : `auth-zone:\n  name: example\n  zonefile: "${zone}"\n  for-downstream: no\n`}
${forwardTo === undefined ? "" : `forward-zone:\n  name: "."\n  forward-addr: 127.0.0.1@${forwardTo}\n`}`,
    command: ["unbound", "-d", "-c", `${folder}/config`],
    isReady: /start of service/,
  }),

  named: ({ folder, port, zone = "" }) => ({
    config: `options {
  directory "${folder}"; managed-keys-directory "${folder}"; pid-file none; session-keyfile none;
  listen-on port ${port} { 127.0.0.1; }; listen-on-v6 { none; };
  recursion yes; dnssec-validation no; empty-zones-enable no;
};
controls { };
zone "example" { type primary; file "${zone}"; };
`,
    command: ["named", "-g", "-n", "1", "-c", `${folder}/config`],
    isReady: /running$/,
  }),

  // It has no zones: it passes on what it is asked, and keeps it.
  kresd: ({ folder, port, tlsPort, httpsPort, certificate, forwardTo = 0 }) => ({
    config: `net.ipv6 = false
net.listen('127.0.0.1', ${port}, { kind = 'dns' })
${certificate ? `net.tls('${folder}/cert.pem', '${folder}/key.pem')` : ""}
${certificate ? `net.listen('127.0.0.1', ${tlsPort}, { kind = 'tls' })` : ""}
${certificate ? `net.listen('127.0.0.1', ${httpsPort}, { kind = 'doh2' })` : ""}
trust_anchors.remove('.')
modules.unload('priming')
policy.add(policy.suffix(policy.STUB('127.0.0.1@${forwardTo}'), { todname('example') }))
io.stderr:write('ready\\n')
`,
    command: ["kresd", "-n", "-c", `${folder}/config`, folder],
    isReady: /^ready$/,
  }),

  dnsmasq: ({ folder, port, forwardTo }) => ({
    config: `port=${port}
listen-address=127.0.0.1
bind-interfaces
user=root
pid-file=
no-resolv
no-hosts
log-facility=-
local-ttl=300
${forwardTo === undefined ? "local=/example/" : `server=127.0.0.1#${forwardTo}`}
host-record=www.example,192.0.2.1,2001:db8::1,300
cname=alias.example,second.example,300
cname=second.example,www.example,300
dns-rr=odd.example,65400,00c00cff07
${BIG.map((text) => `txt-record=big.example,${text}`).join("\n")}
`,
    command: ["dnsmasq", "--keep-in-foreground", `--conf-file=${folder}/config`],
    isReady: /started, version/,
  }),
};
