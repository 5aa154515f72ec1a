import { expect, test } from "vitest";
import { EMPTY_ROSTER } from "../../../src/model/declaration.ts";
import { createBook, MAX_CLIENTS } from "../../../src/dns/ready/book.ts";
import { fnvOf } from "../../../src/base/hash.ts";
import { query } from "../../wire/query.ts";
import { served } from "../served.ts";
import { bookOn } from "./book-on.ts";
import { hex, repliesTo } from "./twin.ts";

const CLIENT = "127.0.0.1";
const rcodeOf = (reply: Uint8Array | undefined): number => (reply?.[3] ?? 0xff) & 0x0f;

function taught() {
  const server = served({
    networks: { front: { subnets: ["10.1.0.0/24"] } },
    services: {
      web: { endpoint_mode: "dnsrr", tasks: ["192.0.2.1", "192.0.2.2"] },
      many: { endpoint_mode: "dnsrr", tasks: ["192.0.2.1", "192.0.2.2", "192.0.2.3"] },
    },
  });
  return { server, ...bookOn(server.registry) };
}

test.each([".rota.internal", ".front.rota.internal", ".deep.down.rota.internal", ""])(
  "of a flood of names that nobody has, one teaches it all of them: *%s",
  (end) => {
    const { teach, ask } = taught();
    teach(query({ name: `first${end}` }), CLIENT);
    let missed = 0;
    for (let at = 0; at < 1000; at++) {
      const octets = query({ name: `x${at}${end}` });
      const reply = ask(octets, CLIENT);
      if (reply) expect(rcodeOf(reply)).toBe(3);
      else missed += 1;
      // Taken for one that may exist, or not: nothing of it is remembered by its name.
      for (const { kind } of teach(octets, CLIENT).mail) expect(kind).not.toBe("ready");
    }
    expect(missed).toBeLessThan(50);
  },
);

test("of the types that no record is of, one teaches it all of them", () => {
  const { teach, ask } = taught();
  teach(query({ name: "web.rota.internal", type: 300 }), CLIENT);
  // MX and HTTPS, which are asked for often, are no others.
  for (const type of [15, 65, ...Array.from({ length: 1000 }, (_, at) => 301 + at)])
    expect(rcodeOf(ask(query({ name: "web.rota.internal", type }), CLIENT)), `TYPE${type}`).toBe(0);
});

test.each(["web.rota.internal", "nosuch.rota.internal"])(
  "what it is told of %s takes no memory but its own, which would go to each thread and stay there",
  (name) => {
    const { teach } = taught();
    const { mail } = teach(query({ name }), CLIENT);
    const memory = mail.flatMap((one) => {
      if (one.kind === "client") return [one.cells];
      return one.kind === "ready"
        ? [one.cells, one.name, one.parts.octets, one.parts.starts]
        : [one.cells, one.soa];
    });
    expect(memory.length).toBeGreaterThan(2);
    for (const { buffer, byteLength } of memory) expect(buffer.byteLength).toBe(byteLength);
  },
);

test("of names that mean the same to everybody, or are addresses, none is remembered: there is no end of them", () => {
  const { teach } = taught();
  for (const name of [
    "a.localhost",
    "localhost",
    "b.local",
    "local",
    "9.2.0.192.in-addr.arpa",
    "arpa",
    "x.org",
  ]) {
    const kinds = teach(query({ name }), CLIENT).mail.map(({ kind }) => kind);
    expect(
      kinds.filter((kind) => kind !== "client"),
      name,
    ).toEqual([]);
  }
});

test("it takes nothing of a client that it does not know, and no more clients than there may be", () => {
  const { book, teach, ask } = taught();
  const octets = query({ name: "web.rota.internal" });
  expect(ask(octets, CLIENT)).toBeUndefined();
  teach(octets, CLIENT);
  expect(ask(octets, CLIENT)).toBeDefined();
  expect(ask(octets, "127.0.0.2")).toBeUndefined();
  const [client] = teach(octets, "10.0.0.1").mail;
  if (client?.kind !== "client") throw new Error("who asks is not told");
  const others = (from: number, to: number): void => {
    for (let at = from; at < to; at++) book.take({ ...client, client: at });
  };
  // As many as there are tasks in a large place may ask in turn.
  others(0, 50_000);
  expect(ask(octets, CLIENT)).toBeDefined();
  others(50_000, 50_000 + MAX_CLIENTS);
  expect(book.knows(CLIENT)).toBe(false);
  expect(book.knows(50_000)).toBe(true);
});

test("it goes on with the turn behind the one that it was taught by", () => {
  const { teach, ask } = taught();
  const octets = query({ name: "web.rota.internal" });
  const first = hex(teach(octets, CLIENT).reply);
  const seen = Array.from({ length: 100 }, () => hex(ask(octets, CLIENT)));
  expect(seen[0]).not.toBe(first);
  expect(seen[1]).toBe(first);
  expect(new Set(seen).size).toBe(2);
  expect(seen.filter((reply) => reply === first)).toHaveLength(50);
});

test("several books take turns together", () => {
  const { server, shared, teach, ask } = taught();
  const octets = query({ name: "many.rota.internal" });
  const other = createBook(shared);
  const { reply, mail } = teach(octets, CLIENT);
  for (const one of mail) other.take(structuredClone(one));
  const out = new Uint8Array(1232);
  const seen = [hex(reply)];
  for (let times = 0; times < 4; times++) {
    seen.push(
      hex(out.subarray(0, other.reply(octets, octets.length, CLIENT, out))),
      hex(ask(octets, CLIENT)),
    );
  }
  expect(seen.slice(0, 3).toSorted()).toEqual([...repliesTo(server, octets, CLIENT)].toSorted());
  expect(seen.slice(3, 6)).toEqual(seen.slice(0, 3));
});

test("what is not a query as nearly all are is left to who reads it", () => {
  const { teach, ask } = taught();
  const octets = query({ name: "web.rota.internal", opt: {} });
  teach(octets, CLIENT);
  expect(ask(octets, CLIENT)).toBeDefined();
  for (let length = 0; length < octets.length; length++)
    expect(ask(octets.subarray(0, length), CLIENT), `${length} octets`).toBeUndefined();
  expect(ask(Buffer.concat([octets, Buffer.of(0)]), CLIENT)).toBeUndefined();
  for (const at of [2, 4, 6, 8, 10]) {
    const other = Buffer.from(octets);
    other[at] = 0xff;
    expect(ask(other, CLIENT), `octet ${at}`).toBeUndefined();
  }
});

test("a name that is made to hash like one that exists has nobody forget that one", () => {
  const { teach, ask } = taught();
  const [web, made] = [query({ name: "web.rota.internal" }), query({ name: "1qdeagjh.rota.internal" })];
  expect(fnvOf("\x081qdeagjh")).toBe(fnvOf("\x03web"));
  teach(web, CLIENT);
  teach(made, CLIENT);
  expect(rcodeOf(ask(web, CLIENT))).toBe(0);
  const { server, ...other } = taught();
  other.teach(made, CLIENT);
  other.teach(web, CLIENT);
  expect(rcodeOf(other.ask(web, CLIENT))).toBe(0);
  server.source.publish(EMPTY_ROSTER);
  other.teach(web, CLIENT);
  expect(rcodeOf(other.ask(web, CLIENT))).toBe(3);
});

test("mail has memory of its own, and no more than it needs", () => {
  const { teach } = taught();
  const memory = ["web.rota.internal", "nope.rota.internal"].flatMap((name) =>
    teach(query({ name }), CLIENT).mail.flatMap((mail) => {
      if (mail.kind === "client") return [];
      return mail.kind === "ready" ? [mail.parts.octets, mail.parts.starts, mail.name] : [mail.soa];
    }),
  );
  expect(memory).toHaveLength(4);
  for (const { byteLength, buffer } of memory) expect(buffer.byteLength).toBe(byteLength);
});

test("names that nobody remembers, for they end in a network's, have nobody walk through all networks each", () => {
  const server = served({ networks: { front: { subnets: ["10.1.0.0/24"] } }, services: {} });
  const { teach } = bookOn(server.registry);
  const { networks } = server.registry;
  let walks = 0;
  const keys = networks.keys.bind(networks);
  Object.assign(networks, {
    keys() {
      walks += 1;
      return keys();
    },
  });
  for (let at = 0; at < 100; at++) teach(query({ name: `x${at}.front.rota.internal` }), CLIENT);
  expect(walks).toBe(1);
});
