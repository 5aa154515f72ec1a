import type { Backend, Frontend } from "../plane.ts";

/** Why a frontend cannot be carried, and what to do about it; undefined: it can. */
export function obstacleTo(frontend: Frontend, name: string): string | undefined {
  const { kind, port, protocol, proxyProtocol } = frontend;
  if (protocol === "any" || port === undefined) {
    return `${name} declares no ports, and ipvs cannot carry all of them: give it "ports", or use --plane nftables`;
  }
  if (proxyProtocol === 0) return undefined;
  return (
    `${kind === "vip" ? "port" : "published port"} ${port}/${protocol} of ${name} asks for a PROXY header, ` +
    "which ipvs cannot send: leave out its proxy_protocol, or use --plane userspace"
  );
}

/**
 * Whether a task of a published port is left out. IPVS keeps the client's address, and a task on another node would
 * reply past this one, unless that node knows the way back. (Who asks a VIP is inside, and reached through this node.)
 */
export function isStranded({ node }: Backend, peers: ReadonlySet<string>): boolean {
  return node !== undefined && !peers.has(node);
}

/** What is to be said of those that are left out. */
export function strandedIn(
  { kind, port, backends }: Frontend,
  name: string,
  peers: ReadonlySet<string>,
): string[] {
  if (kind === "vip") return [];
  const nodes = new Set(backends.filter((backend) => isStranded(backend, peers)).map(({ node }) => node));
  if (nodes.size === 0) return [];
  return [
    `published port ${port} of ${name} does not lead to its tasks on ${[...nodes].join(", ")}: ipvs keeps the ` +
      "client's address, and from there no way back is known; name the node as a peer, or use --plane nftables",
  ];
}
