import { RotaError } from "../../base/error.ts";
import { run } from "../command.ts";

/** Why this plane cannot carry anything here, as a sentence; undefined: it can. Tried without changing anything. */
export async function checkIpvs(): Promise<string | undefined> {
  try {
    await run("ipvsadm", ["--save", "--numeric"]);
    await run("ip", ["-V"]);
    return undefined;
  } catch (error) {
    if (!(error instanceof RotaError) || error.code !== "ERR_ROTA_PLANE") throw error;
    const { message } = error;
    // It tries to load the module by itself, and complains of that first.
    const isLacking = /modprobe|initialize ipvs/i.test(message) && !message.includes("CAP_NET_ADMIN");
    return isLacking ? "the kernel has no ip_vs: modprobe ip_vs, or choose another plane" : message;
  }
}
