import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { outputOf } from "../run.ts";

/** A certificate authority of a test's own, in a temporary folder. */
export interface Authority extends AsyncDisposable {
  readonly folder: string;
  /** The file of its certificate. */
  readonly ca: string;
  /** A certificate that it signed for `names`, as in `DNS:web.example,IP:127.0.0.1`. */
  issue(names: string, days?: number): Promise<Certificate>;
  /** One that nobody but itself signed. */
  selfSign(names: string): Promise<Certificate>;
}

/** As `tls.createServer` takes it. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export async function openAuthority(): Promise<Authority> {
  const folder = await mkdtemp(join(tmpdir(), "rota-tls-"));
  const ca = join(folder, "ca.pem");
  const openssl = (words: string): Promise<string> =>
    outputOf("openssl", words.replaceAll("FOLDER", folder).split(" "));
  await openssl("ecparam -name prime256v1 -genkey -noout -out FOLDER/key.pem");
  await openssl("req -x509 -new -key FOLDER/key.pem -subj /CN=ca -days 1 -out FOLDER/ca.pem");

  return {
    folder,
    ca,
    async issue(names, days = 1) {
      await writeFile(join(folder, "names"), `subjectAltName=${names}`);
      await openssl("req -new -key FOLDER/key.pem -subj /CN=task -out FOLDER/request.pem");
      await openssl(
        `x509 -req -in FOLDER/request.pem -CA FOLDER/ca.pem -CAkey FOLDER/key.pem -days ${days} -extfile FOLDER/names -out FOLDER/task.pem`,
      );
      return readCertificate();
    },
    async selfSign(names) {
      await openssl(
        `req -x509 -new -key FOLDER/key.pem -subj /CN=task -addext subjectAltName=${names} -days 1 -out FOLDER/task.pem`,
      );
      return readCertificate();
    },
    async [Symbol.asyncDispose]() {
      await rm(folder, { recursive: true });
    },
  };

  async function readCertificate(): Promise<Certificate> {
    return {
      cert: await readFile(join(folder, "task.pem"), "utf8"),
      key: await readFile(join(folder, "key.pem"), "utf8"),
    };
  }
}
