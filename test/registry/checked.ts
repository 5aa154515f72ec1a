import type { Check } from "../../src/model/check.ts";
import type { Declaration, Roster, TaskDeclaration } from "../../src/model/declaration.ts";
import type { ServiceDeclaration } from "../../src/schema/input.ts";
import { roster } from "../dns/served.ts";

const CHECK: Check = {
  probe: { kind: "heartbeat" },
  intervalMs: 5000,
  timeoutMs: 2000,
  rise: 2,
  fall: 3,
  startPeriodMs: 0,
  startIntervalMs: 5000,
  hold: undefined,
};

/** The declaration of a dnsrr service called web whose tasks are checked; `a 192.0.2.1` is the task a. */
export function checkedWeb(tasks: readonly string[], service: ServiceDeclaration = {}): Declaration {
  const declaration = uncheckedWeb(tasks, service);
  return {
    ...declaration,
    check: CHECK,
    tasks: declaration.tasks.map(checked),
  };
}

function checked(task: TaskDeclaration): TaskDeclaration {
  return { ...task, isChecked: true };
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
  return { zone: undefined, ttl: undefined, negativeTtl: undefined, networks: [], services };
}
