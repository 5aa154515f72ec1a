import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { expect, test } from "vitest";
import { parseAddress } from "../../src/model/address.ts";
import { createHolders, holderOf } from "../../src/plane/holder.ts";
import { testNeeding } from "../needing.ts";

const us = `${readFileSync("/proc/self/comm", "utf8").trim()} (pid ${process.pid})`;
const [near, other] = [parseAddress("127.0.0.1"), parseAddress("127.0.0.2")];

test("who listens on a TCP port is named, and nobody where nobody listens", async () => {
  const port = await listenTcp("127.0.0.1", async (port) => {
    expect(await holderOf("tcp", near, port)).toBe(us);
    expect(await holderOf("tcp", undefined, port)).toBe(us);
    expect(await holderOf("tcp", other, port)).toBeUndefined();
    expect(await holderOf("udp", near, port)).toBeUndefined();
  });
  expect(await holderOf("tcp", near, port)).toBeUndefined();
});

test("who listens on all addresses holds each", async () => {
  await listenTcp("0.0.0.0", async (port) => {
    expect(await holderOf("tcp", other, port)).toBe(us);
  });
});

testNeeding({ ipv6: true })("also of both families", async () => {
  await listenTcp("::", async (port) => {
    expect(await holderOf("tcp", other, port)).toBe(us);
    expect(await holderOf("tcp", parseAddress("::1"), port)).toBe(us);
  });
  await listenTcp("::1", async (port) => {
    expect(await holderOf("tcp", parseAddress("::1"), port)).toBe(us);
    expect(await holderOf("tcp", parseAddress("::2"), port)).toBeUndefined();
  });
});

test("who has a UDP port is named", async () => {
  const socket = createSocket("udp4").bind({ address: "127.0.0.1", port: 0 });
  await once(socket, "listening");
  const { port } = socket.address();
  expect(await holderOf("udp", near, port)).toBe(us);
  expect(await holderOf("tcp", near, port)).toBeUndefined();
  socket.close();
});

test("a connection from the port is no listener", async () => {
  await listenTcp("127.0.0.1", async (to) => {
    const port = await listenTcp("127.0.0.1", () => Promise.resolve());
    const client = connect({ port: to, host: "127.0.0.1", localPort: port, localAddress: "127.0.0.1" });
    await once(client, "connect");
    expect(await holderOf("tcp", near, port)).toBeUndefined();
    client.resetAndDestroy();
    await once(client, "close");
  });
});

async function listenTcp(host: string, look: (port: number) => Promise<void>): Promise<number> {
  const server = createServer((socket) => void socket.on("error", () => {})).listen({ host, port: 0 });
  await once(server, "listening");
  const { port } = addressOf(server.address());
  try {
    await look(port);
  } finally {
    server.close();
    await once(server, "close");
  }
  return port;
}

function addressOf(address: AddressInfo | string | null): AddressInfo {
  if (typeof address === "object" && address) return address;
  throw new Error("it does not listen");
}

test("of many that are asked for together, what the system has is read once", async () => {
  const holders = createHolders();
  expect(await holders.of("tcp", undefined, 1)).toBeUndefined();
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  try {
    expect(await holders.of("tcp", undefined, port)).toBeUndefined();
    holders.forget();
    expect(await holders.of("tcp", undefined, port)).toMatch(new RegExp(`\\(pid ${process.pid}\\)$`));
  } finally {
    server.close();
  }
});
