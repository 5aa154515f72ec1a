import { RotaError } from "../../base/error.ts";
import { run } from "../command.ts";
import { skeleton } from "./skeleton.ts";

export interface CheckOptions {
  /**
   * The path of a network namespace.
   * @default where this process is
   */
  readonly netns?: string;
  /** Ends what is tried. */
  readonly signal?: AbortSignal;
}

/** Why this plane cannot carry anything here, as a sentence; undefined: it can. Tried without changing anything. */
export async function checkNftables({ netns, signal }: CheckOptions = {}): Promise<string | undefined> {
  const options = {
    ...(signal && { signal }),
    wrapper: netns === undefined ? [] : ["nsenter", `--net=${netns}`],
  };
  try {
    await run("nft", ["-c", "-f", "-"], { ...options, input: skeleton() });
    // Programs that are there, and may be run.
    await run("ip", ["-V"], options);
    await run("sh", ["-c", ":"], options);
    return undefined;
  } catch (error) {
    if (!(error instanceof RotaError) || error.code !== "ERR_ROTA_PLANE") throw error;
    return error.message;
  }
}
