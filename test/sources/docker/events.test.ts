import { expect, test } from "vitest";
import { parseRing } from "../../../src/sources/docker/events.ts";
import { createGathering } from "../../../src/sources/docker/gathering.ts";
import { parseSignal } from "../../../src/sources/docker/signal.ts";

const ID = "a1".repeat(32);

function line(type: string, action: string, attributes = {}, id = ID): string {
  return JSON.stringify({ Type: type, Action: action, Actor: { ID: id, Attributes: attributes } });
}

test.each([
  [line("container", "create"), { kind: "container", id: ID }],
  [line("container", "health_status: healthy"), { kind: "container", id: ID }],
  [line("container", "rename", { name: "x" }), { kind: "container", id: ID }],
  [line("container", "something-new"), { kind: "container", id: ID }],
  [line("container", "start"), { kind: "ended", id: ID }],
  [line("container", "die"), { kind: "ended", id: ID }],
  [line("container", "kill", { signal: "15" }), { kind: "signalled", id: ID, signal: 15 }],
  [line("container", "kill"), { kind: "signalled", id: ID, signal: undefined }],
  [line("container", "exec_create: sh -c true"), { kind: "nothing" }],
  [line("container", "exec_die"), { kind: "nothing" }],
  [line("container", "create", {}, "../../info"), { kind: "everything" }],
  [line("network", "connect", { container: ID }), { kind: "container", id: ID }],
  [line("network", "disconnect", { container: ID }), { kind: "container", id: ID }],
  [line("network", "connect", { container: "ingress-sbox" }), { kind: "networks" }],
  [line("network", "create"), { kind: "networks" }],
  [line("network", "destroy"), { kind: "networks" }],
  [line("service", "update"), { kind: "swarm" }],
  [line("node", "update"), { kind: "swarm" }],
  [line("image", "pull"), { kind: "nothing" }],
  [line("volume", "create"), { kind: "nothing" }],
  [line("daemon", "reload"), { kind: "everything" }],
  ["{}", { kind: "everything" }],
  ["[[", { kind: "everything" }],
  ["null", { kind: "everything" }],
])("%s rings", (text, expected) => {
  expect(parseRing(text)).toEqual(expected);
});

test.each([
  ["SIGTERM", 15],
  ["term", 15],
  ["15", 15],
  ["SIGUSR1", 10],
  ["SYS", 31],
  ["SIGRTMIN", 34],
  ["SIGRTMIN+3", 37],
  ["RTMAX-1", 63],
  ["64", 64],
  ["65", undefined],
  ["0", undefined],
  ["SIGRTMIN+31", undefined],
  ["", undefined],
  ["NONE", undefined],
])("the signal %j is %s", (text, number) => {
  expect(parseSignal(text)).toBe(number);
});

test("what rings is gathered until it is taken, signals by the runs that they were sent to", () => {
  const gathering = createGathering();
  gathering.add({ kind: "signalled", id: "a", signal: 15 });
  gathering.add({ kind: "signalled", id: "b", signal: 15 });
  gathering.add({ kind: "ended", id: "a" });
  gathering.add({ kind: "nothing" });
  gathering.poll();
  expect(gathering.take()).toEqual({
    isEverything: false,
    isNetworks: false,
    swarm: "tasks",
    containers: new Set(["a", "b"]),
    signals: new Map([["b", new Set([15])]]),
    ended: new Set(["a"]),
  });
  gathering.add({ kind: "swarm" });
  gathering.poll();
  gathering.add({ kind: "networks" });
  expect(gathering.take()).toMatchObject({ isNetworks: true, swarm: "whole", containers: new Set() });
});

test("of more than a thousand containers at once, everything is looked at", () => {
  const gathering = createGathering();
  for (let id = 0; id < 1000; id++) gathering.add({ kind: "signalled", id: `${id}`, signal: 15 });
  gathering.add({ kind: "ended", id: "0" });
  gathering.add({ kind: "container", id: "999" });
  gathering.add({ kind: "signalled", id: "1000", signal: 15 });
  const { isEverything, containers, signals } = gathering.take();
  expect([isEverything, containers.size, signals.size]).toEqual([true, 1000, 999]);
  for (let id = 0; id < 1000; id++) gathering.add({ kind: "container", id: `${id}` });
  expect(gathering.take().isEverything).toBe(false);
});
