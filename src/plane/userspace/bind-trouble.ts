import { messageOf, systemCodeOf } from "../../base/error.ts";
import { formatEndpoint, parseAddress } from "../../model/address.ts";
import type { Holders } from "../holder.ts";
import type { PortFrontend } from "./front.ts";

/** Where a frontend could not be listened to. */
export interface BindFailure {
  readonly address: string;
  readonly error: unknown;
  /** The service of ours that listens there. */
  readonly owner: string | undefined;
}

/** A sentence for each reason, with all addresses that it holds for. */
export async function tellBindFailures(
  service: string,
  frontend: PortFrontend,
  failures: readonly BindFailure[],
  holders: Holders,
): Promise<string[]> {
  const places = new Map<string, string[]>();
  for (const failure of failures) {
    const why = await tellWhy(frontend, failure, holders);
    const place = formatEndpoint(failure.address, frontend.port);
    places.set(why, [...(places.get(why) ?? []), place]);
  }
  return [...places].map(
    ([why, at]) => `${service}: could not listen on ${frontend.protocol} ${at.join(", ")}: ${why}`,
  );
}

async function tellWhy(
  { kind, protocol, port }: PortFrontend,
  { address, error, owner }: BindFailure,
  holders: Holders,
): Promise<string> {
  const other = kind === "vip" ? "give it another port, as with port: 8080" : "publish another port";
  switch (systemCodeOf(error)) {
    case "EACCES":
      return (
        `ports below 1024 need a right: run "setcap cap_net_bind_service=+ep $(readlink -f $(which node))" or ` +
        `"sysctl net.ipv4.ip_unprivileged_port_start=${port}" as root, or ${other}`
      );
    case "EADDRINUSE": {
      const holder = owner ?? (await holders.of(protocol, parseAddress(address), port));
      return `it is taken by ${holder ?? "a process of another user"}: stop that, or ${other}`;
    }
    case "EADDRNOTAVAIL":
      return (
        "the address is none of this machine's: take VIPs from 127.0.0.0/8, which always are, give it to an " +
        `interface ("ip address add ${address} dev lo"), or run as root with --plane nftables`
      );
    case undefined:
    default:
      return messageOf(error);
  }
}
