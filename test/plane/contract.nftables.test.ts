import { contractOf } from "./contract.ts";
import { NFTABLES } from "./contract/subjects.ts";
import { openLab, startHub } from "./lab/lab.ts";

contractOf("the nftables plane, on a router", NFTABLES);

contractOf("the nftables plane, on a bridge whose traffic passes the tables", {
  ...NFTABLES,
  open: async () => openLab(startHub(), { kind: "bridge" }),
});
