import { messageOf } from "../../base/error.ts";
import { familyOf } from "../../model/address.ts";
import type { Backend, Frontend, FrontendSight, PlaneState, ServiceSight, Sight } from "../plane.ts";
import { isRow, type Row, rowsOf, textOf } from "../rows.ts";
import type { Run } from "../command.ts";
import { keysOf, keysOfBackend } from "./endings.ts";
import { listFlows } from "./flow.ts";
import { numberedTasks, packetKey, placesOf, targetOf } from "./frontend.ts";
import { frontendsMap, PLACES, tasksMap } from "./place.ts";
import type { Ruleset } from "./ruleset.ts";
import { TABLE } from "./skeleton.ts";

/** Reads the table and the flows; what is not in the state is a stranger. */
export async function look(run: Run, state: PlaneState, ruleset: Ruleset | undefined): Promise<Sight> {
  const [counters, active] = await Promise.all([readCounters(run), countActive(run)]);
  const services: ServiceSight[] = [];
  for (const [id, service] of state.services) {
    const frontends = service.frontends.map((frontend) => sightOf(frontend, counters, active));
    services.push({ id, name: service.name, frontends });
  }
  return { kind: "nftables", services, strangers: await strangersTo(run, ruleset) };
}

function sightOf(
  frontend: Frontend,
  counters: ReadonlyMap<string, number>,
  active: ReadonlyMap<string, number> | undefined,
): FrontendSight {
  const flows = new Map<string, number>();
  for (const place of placesOf(frontend)) {
    for (const { key, number } of numberedTasks(frontend, place)) {
      const counted = counters.get(`${tasksMap(place)} ${packetKey(frontend, place)} . ${number}`);
      if (counted !== undefined) flows.set(key, (flows.get(key) ?? 0) + counted);
    }
  }
  return {
    frontend,
    backends: frontend.backends.map((backend) => ({
      backend,
      flows: flows.get(targetIn(frontend, backend)),
      active:
        active && keysOfBackend(frontend, backend).reduce((sum, key) => sum + (active.get(key) ?? 0), 0),
    })),
  };
}

function targetIn(frontend: Frontend, backend: Backend): string {
  const place = placesOf(frontend).find(({ family }) => family === familyOf(backend.address));
  return place === undefined ? "" : targetOf(backend, frontend, place);
}

/** How many flows each task was given, by map and key: each flow's first packet alone comes there. */
async function readCounters(run: Run): Promise<ReadonlyMap<string, number>> {
  const counters = new Map<string, number>();
  for (const place of PLACES) {
    const map = tasksMap(place);
    for (const [element] of await elementsOfMap(run, map)) {
      const [row] = rowsOf([isRow(element) ? element["elem"] : undefined]);
      const [counter] = rowsOf([row?.["counter"]]);
      if (row === undefined) continue;
      counters.set(`${map} ${keyText(row["val"])}`, Number(counter?.["packets"] ?? 0));
    }
  }
  return counters;
}

/** What leads somewhere though no service says so, a line each. */
async function strangersTo(run: Run, ruleset: Ruleset | undefined): Promise<readonly string[]> {
  const known = new Set<string>();
  for (const { elements } of ruleset?.services.values() ?? []) {
    for (const { set, key } of elements) known.add(`${set} ${key}`);
  }
  const strangers: string[] = [];
  for (const map of new Set(PLACES.map(frontendsMap))) {
    for (const [key] of await elementsOfMap(run, map)) {
      const text = `${map} ${keyText(key)}`;
      if (!known.has(text)) strangers.push(text);
    }
  }
  return strangers;
}

/** Undefined: nobody here can tell. */
async function countActive(run: Run): Promise<ReadonlyMap<string, number> | undefined> {
  const active = new Map<string, number>();
  const flows = await listFlows(run).catch(() => undefined);
  for (const flow of flows ?? []) {
    if (!flow.isOpen) continue;
    for (const key of keysOf(flow)) active.set(key, (active.get(key) ?? 0) + 1);
  }
  return flows && active;
}

/** Whoever has taken the table away: it is about to be put back. */
function noneIfGone(error: unknown): string {
  if (/No such file or directory/.test(messageOf(error))) return "{}";
  throw error;
}

/** The elements of a map, key and value; none if there is no such map. */
async function elementsOfMap(run: Run, map: string): Promise<readonly (readonly unknown[])[]> {
  const text = await run("nft", ["-j", "list", "map", ...TABLE.split(" "), map]).catch(noneIfGone);
  const parsed: unknown = JSON.parse(text);
  const found = rowsOf(isRow(parsed) ? parsed["nftables"] : []).find((row: Row) => isRow(row["map"]));
  const [content] = rowsOf([found?.["map"]]);
  const elements = content?.["elem"];
  return Array.isArray(elements) ? elements.filter((one) => Array.isArray(one)) : [];
}

function keyText(value: unknown): string {
  const [row] = rowsOf([value]);
  const parts = row?.["concat"];
  return Array.isArray(parts) ? parts.map(textOf).join(" . ") : textOf(value);
}
