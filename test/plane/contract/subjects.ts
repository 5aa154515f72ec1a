import type { Subject } from "../contract.ts";
import { openLab, startHub } from "../lab/lab.ts";

/** The userspace plane on this machine's loopback, as nobody. */
export const USERSPACE: Subject = {
  plane: { module: "userspace/userspace.js", create: "createUserspacePlane" },
  needs: { ipv6: true, programs: ["setpriv", "busybox"] },
  cannot: {
    "any port": "a socket listens on one port",
    "outliving its process": "its connections are its process's",
    "clients' addresses": "it asks itself, and tells who it asks for by PROXY headers alone",
  },
  open: async () => openLab(startHub(), { kind: "loopback" }),
};

/** The nftables plane on a router, with tasks on links of their own. */
export const NFTABLES: Subject = {
  plane: { module: "nftables/nftables.js", create: "createNftablesPlane", options: { isCleanup: false } },
  needs: { root: true, programs: ["nft", "conntrack", "ip", "unshare", "nsenter", "busybox"] },
  cannot: {
    leastconn: "nftables does not know what is open",
  },
  open: async () => openLab(startHub(), { kind: "routed" }),
};
