import { type Declaration, EMPTY_ROSTER, type Roster } from "../../src/model/declaration.ts";
import type { ServiceDeclaration } from "../../src/schema/input.ts";
import { roster } from "../dns/served.ts";

/** The declaration of a dnsrr service called web whose tasks are checked; `a 192.0.2.1` is the task a. */
export function checkedWeb(tasks: readonly string[], service: ServiceDeclaration = {}): Declaration {
  return uncheckedWeb(tasks, { healthcheck: { heartbeat: "5s" }, ...service });
}

export function uncheckedWeb(tasks: readonly string[], service: ServiceDeclaration = {}): Declaration {
  const [declaration] = roster({
    services: {
      web: {
        endpoint_mode: "dnsrr",
        ...service,
        tasks: tasks.map((text) => {
          const [id, address = ""] = text.split(" ");
          return { id, address };
        }),
      },
    },
  }).services;
  if (!declaration) throw new Error("no service");
  return declaration;
}

export function rosterOf(...services: readonly Declaration[]): Roster {
  return { ...EMPTY_ROSTER, services };
}
