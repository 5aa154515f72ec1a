import { isContainerId } from "./container.ts";
import { at, parseJson, textOf } from "./fields.ts";
import { parseSignal } from "./signal.ts";

/** What is to be looked at again. An event is a bell: what it says of the matter itself is not believed. */
export type Ring =
  | { readonly kind: "nothing" | "everything" | "networks" | "swarm" }
  | { readonly kind: "container"; readonly id: string }
  /** It was sent a signal, which may be the one that it stops by; undefined: nobody says which. */
  | { readonly kind: "signalled"; readonly id: string; readonly signal: number | undefined }
  /** The run of it that was going on is over. */
  | { readonly kind: "ended"; readonly id: string };

const NOTHING: Ring = { kind: "nothing" };
const EVERYTHING: Ring = { kind: "everything" };

/** What happens to containers and is seen in no snapshot; commands that are run in them, above all: each health check is one. */
const UNSEEN = new Set(
  "attach detach resize top copy export commit archive-path extract-to-dir checkpoint exec_create exec_start exec_die exec_detach".split(
    " ",
  ),
);
/** Types of things that are in no snapshot. */
const UNSEEN_TYPES = new Set(["image", "volume", "plugin", "builder", "secret", "config"]);

/** What one line of `/events` rings for; what is not understood, for everything. */
export function parseRing(line: string): Ring {
  const event = parseJson(line);
  const type = textOf(at(event, "Type"));
  const [action = ""] = textOf(at(event, "Action")).split(":");
  const actor = at(event, "Actor");
  const attributes = at(actor, "Attributes");
  if (type === "container") return ringOfContainer(textOf(at(actor, "ID")), action, attributes);
  if (type === "network") return ringOfNetwork(action, attributes);
  if (type === "service" || type === "node") return { kind: "swarm" };
  return UNSEEN_TYPES.has(type) ? NOTHING : EVERYTHING;
}

function ringOfContainer(id: string, action: string, attributes: unknown): Ring {
  if (!isContainerId(id)) return EVERYTHING;
  if (UNSEEN.has(action)) return NOTHING;
  if (action === "kill")
    return { kind: "signalled", id, signal: parseSignal(textOf(at(attributes, "signal"))) };
  if (action === "die" || action === "start") return { kind: "ended", id };
  return { kind: "container", id };
}

function ringOfNetwork(action: string, attributes: unknown): Ring {
  const id = textOf(at(attributes, "container"));
  if (action !== "connect" && action !== "disconnect") return { kind: "networks" };
  // That of a Swarm's own sandbox, such as `ingress-sbox`, is no container's.
  if (!isContainerId(id)) return { kind: "networks" };
  return { kind: "container", id };
}
