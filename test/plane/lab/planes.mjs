// A plane, made from the build and brought to states that come as JSON.

import { formatAddress, parseAddress, parseSubnet } from "../../../dist/model/address.js";

/** At most one plane: whoever wants another starts another process. */
export function createPlanes() {
  let plane;
  let services = new Map();

  /** `module` is a path from dist/plane, or a URL; `create` its function. */
  async function openPlane({ module, create, options }) {
    const made = await import(new URL(module, new URL("../../../dist/plane/", import.meta.url)).href);
    plane = made[create]({ log: createLog(), ...options });
  }

  /** Applies all of the states without waiting between them, and gives their reports. */
  async function apply({ states }) {
    return told(await Promise.all(states.map((state) => plane.apply(readState(state)))));
  }

  async function look() {
    return told(await plane.look());
  }

  async function closePlane() {
    await plane[Symbol.asyncDispose]();
  }

  /** A service that reads as it did before is the same object, as planes may rely on. */
  function readState({ services: told, pools, peers }) {
    const before = services;
    services = new Map();
    const entries = told.map(([id, service]) => {
      const text = JSON.stringify([id, service]);
      const kept = before.get(text) ?? JSON.parse(JSON.stringify(service), readAddress);
      services.set(text, kept);
      return [id, kept];
    });
    return {
      services: new Map(entries),
      pools: pools.map(parseSubnet),
      peers: new Map(JSON.parse(JSON.stringify(peers), readAddress)),
    };
  }

  return { openPlane, apply, look, closePlane };
}

const ADDRESS = new Set(["vip", "address"]);
const ADDRESSES = new Set(["vips", "addresses"]);

function readAddress(key, value) {
  if (ADDRESS.has(key)) return parseAddress(value);
  return ADDRESSES.has(key) ? value.map(parseAddress) : value;
}

function told(value) {
  return JSON.parse(JSON.stringify(value, writeAddress));
}

function writeAddress(key, value) {
  return ADDRESS.has(key) ? formatAddress(value) : value;
}

/** What it warns of stands on stderr, which the hub tells when this process ends. */
function createLog() {
  const ignore = () => {};
  const write = (fields, message) => console.error(message, JSON.stringify(fields));
  return { debug: ignore, info: ignore, warn: write, error: write };
}
