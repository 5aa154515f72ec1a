import { RotaError } from "../../src/index.ts";

/** What a call was refused with, as `ERR_ROTA_NAME: …`; anything else that came of it fails the test. */
export async function refusalOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (error) {
    if (error instanceof RotaError) return `${error.code}: ${error.message}`;
    throw error;
  }
  throw new Error("it was not refused");
}
