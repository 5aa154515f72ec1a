import { once } from "node:events";
import { get, request } from "node:http";

/** What came of some requests, one after the other in each lane. */
export interface Load {
  /** No more of them; resolves when those under way have come to their end. */
  stop(): Promise<Came>;
}

export interface Came {
  readonly requests: number;
  /** A status that is not 200, or an error, each once. */
  readonly failures: readonly string[];
}

/** Fetches again and again, each time on a new connection, until it is stopped. */
export function startLoad(url: string): Load {
  const failures = new Set<string>();
  let requests = 0;
  const stopped = new AbortController();
  const lane = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      requests++;
      await fetchOnce(url).catch((error: unknown) => failures.add(String(error)));
    }
  };
  const lanes = Promise.all(Array.from({ length: 4 }, lane));
  return {
    async stop() {
      stopped.abort();
      await lanes;
      return { requests, failures: [...failures] };
    },
  };
}

/** How often each text came in so many requests, one after the other. */
export async function sharesOf(url: string, count: number): Promise<Readonly<Record<string, number>>> {
  const shares: Record<string, number> = {};
  for (let left = count; left > 0; left--) {
    const text = await fetchOnce(url);
    shares[text] = (shares[text] ?? 0) + 1;
  }
  return shares;
}

/** @throws Error if the status is not 200 */
export async function fetchOnce(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, { agent: false }, (response) => {
      let text = "";
      response
        .setEncoding("utf8")
        .on("data", (part: string) => (text += part))
        .once("error", reject)
        .once("end", () =>
          response.statusCode === 200
            ? resolve(text.trimEnd())
            : reject(new Error(`status ${response.statusCode}`)),
        );
    }).once("error", reject);
  });
}

/** An upload of which a task has the beginning. */
export interface Upload {
  /** Sends the rest; resolves with the status and the text that came. */
  finish(): Promise<string>;
}

/** Begins an upload; resolves when a task waits for the rest of it. */
export async function beginUpload(url: string): Promise<Upload> {
  const headers = { Expect: "100-continue", "Content-Length": "4" };
  const upload = request(url, { agent: false, method: "POST", headers });
  const came = new Promise<string>((resolve, reject) => {
    upload.once("error", reject).once("response", (response) => {
      response
        .setEncoding("utf8")
        .once("data", (text: string) => resolve(`${response.statusCode} ${text.trimEnd()}`))
        .once("error", reject);
    });
  });
  upload.flushHeaders();
  await Promise.race([once(upload, "continue"), came]);
  return {
    async finish() {
      upload.end("done");
      return came;
    },
  };
}
