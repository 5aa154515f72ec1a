import { isIPv4 } from "node:net";
import { LRUCache } from "lru-cache";
import { type Address, isInside, parseAddress, parseSubnet, type Subnet } from "../model/address.ts";
import { type Scope, scoped, type View } from "../model/view.ts";
import type { Registry } from "../registry/registry.ts";
import type { ClientSubnet } from "../wire/message.ts";

/** Who sees what. */
export interface Viewers {
  /**
   * What a client sees; with `subnet`, what those beneath it see that the client asks for.
   *
   * @param client its address as text, as a socket has it: IPv6 maybe with a zone, IPv4 maybe written as IPv6
   */
  viewOf(client: string, subnet: ClientSubnet | undefined): View;
  /** Whether what a client says of whom it asks for is believed. */
  trusts(client: string): boolean;
}

export interface ViewersOptions {
  readonly registry: Pick<Registry, "serial" | "viewOf">;
  readonly trusted: readonly Subnet[];
  readonly scope: Scope;
}

/** Strangers choose how many there are: each costs some 200 octets. */
export const MAX_VIEWERS = 4096;

interface Viewer {
  readonly view: View;
  readonly isTrusted: boolean;
}

export function createViewers({ registry, trusted, scope }: ViewersOptions): Viewers {
  /** By the text of an address, or by the octets of a subnet. */
  const viewers = new LRUCache<string, Viewer>({ max: MAX_VIEWERS });
  let { serial } = registry;

  return {
    viewOf(client, subnet) {
      // RFC 7871 section 7.1.2: for whom nothing is to be told, the asker's own address is used "in lieu of an option".
      return subnet === undefined || subnet.length === 0 ? viewerAt(client).view : viewerIn(subnet).view;
    },
    trusts: (client) => trusted.length > 0 && viewerAt(client).isTrusted,
  };

  function viewerAt(client: string): Viewer {
    return known(client) ?? keep(client, viewerOf(addressOf(client)));
  }

  function viewerOf(address: Address): Viewer {
    const isTrusted = trusted.some((subnet) => isInside(subnet, address));
    return { view: look(address, address.length * 8), isTrusted };
  }

  function viewerIn({ address, length }: ClientSubnet): Viewer {
    const key = `${address}/${length}`; // no text of an address has a slash
    return known(key) ?? keep(key, { view: look(address, length), isTrusted: false });
  }

  function look(address: Address, length: number): View {
    return scoped(registry.viewOf(address, length), scope);
  }

  /** What was seen before a change is forgotten, whoever saw it: changes are rarer than questions. */
  function known(key: string): Viewer | undefined {
    if (serial === registry.serial) return viewers.get(key);
    ({ serial } = registry);
    viewers.clear();
    return undefined;
  }

  function keep(key: string, viewer: Viewer): Viewer {
    viewers.set(key, viewer);
    return viewer;
  }
}

/**
 * Reads who is trusted: an address, or a subnet.
 *
 * @throws RotaError `ERR_ROTA_ADDRESS`
 */
export function parseTrusted(text: string): Subnet {
  if (text.includes("/")) return parseSubnet(text);
  const base = parseAddress(text);
  return { base, length: base.length * 8 };
}

/** A zone (RFC 4007 section 11) says by which interface somebody is reached, and a mapped address is an IPv4 one. */
export function addressOf(client: string): Address {
  const [address = ""] = client.split("%", 1);
  const tail = address.slice(address.lastIndexOf(":") + 1);
  return parseAddress(address.toLowerCase().startsWith("::ffff:") && isIPv4(tail) ? tail : address);
}
