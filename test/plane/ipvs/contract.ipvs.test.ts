import { vi } from "vitest";
import { contractOf } from "../contract.ts";
import { GUEST_PACE, openLab, type Pace } from "../lab/lab.ts";
import { bootGuest } from "../uml/guest.ts";
import { IPVS_NEEDS } from "./needs.ts";

/** A guest has one CPU, which others may want as well. */
vi.setConfig({ testTimeout: 90_000 });

/** As little as shows it: all of it is to be done in a minute and a half. */
const PACE: Pace = { ...GUEST_PACE, patienceMs: 3_000, questions: 50, changes: 30, clients: 2 };

contractOf("the ipvs plane, on a router", {
  plane: {
    module: "ipvs/ipvs.js",
    create: "createIpvsPlane",
    // The lab's node is a namespace of its own: so its settings are the plane's to change.
    options: { isCleanup: false, netns: "/proc/self/ns/net" },
  },
  needs: IPVS_NEEDS,
  cannot: {
    "any port": "it carries all ports by firewall marks alone",
    hairpin: "a task sees its own address as the client's, and answers itself",
  },
  open: async () => openLab(await bootGuest(), { kind: "routed" }, PACE),
});
