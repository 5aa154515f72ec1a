import { RotaError } from "../../base/error.ts";
import { run } from "../command.ts";
import { skeleton } from "./skeleton.ts";

export interface CheckOptions {
  /**
   * The path of a network namespace.
   * @default where this process is
   */
  readonly netns?: string;
}

/** Why this plane cannot carry anything here, as a sentence; undefined: it can. Tried without changing anything. */
export async function checkNftables(options: CheckOptions = {}): Promise<string | undefined> {
  const wrapper = options.netns === undefined ? [] : ["nsenter", `--net=${options.netns}`];
  try {
    await run("nft", ["-c", "-f", "-"], { input: skeleton(), wrapper });
    // Programs that are there, and may be run.
    await run("ip", ["-V"], { wrapper });
    await run("sh", ["-c", ":"], { wrapper });
    return undefined;
  } catch (error) {
    if (!(error instanceof RotaError) || error.code !== "ERR_ROTA_PLANE") throw error;
    return error.message;
  }
}
