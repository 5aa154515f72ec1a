import type { Needs } from "../../needing.ts";
import { GUEST_NEEDS } from "../uml/guest.ts";

/** What a test of IPVS cannot do without: a guest, whose kernel has it, and the programs of this machine. */
export const IPVS_NEEDS: Needs = {
  ...GUEST_NEEDS,
  programs: [...(GUEST_NEEDS.programs ?? []), "ipvsadm", "unshare", "nsenter"],
};
