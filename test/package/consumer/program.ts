import { Resolver } from "node:dns/promises";
import {
  type Log,
  type Rota,
  RotaError,
  type RotaErrorCode,
  type RotaOptions,
  type ServiceDeclaration,
  type ServicesChange,
  type ServiceState,
  startRota,
} from "rota";

// What somebody writes who has installed Rota: type-checked and run by package.test.ts.

const web: ServiceDeclaration = {
  endpoint_mode: "dnsrr",
  ports: ["80:8080"],
  labels: { team: "shop" },
  tasks: ["10.0.0.1", { id: "b", address: "10.0.0.2:9090", weight: 2 }],
};
const heard: string[] = [];
const tell = (_: object, message: string): void => void heard.push(message);
const log: Log = { debug: tell, info: tell, warn: tell, error: tell };
const options: RotaOptions = { services: { web }, networks: { lan: { vips: "10.0.1.0/24" } }, log };

process.stdout.write(`${(await story()).join("\n")}\n`);

async function story(): Promise<string[]> {
  await using rota: Rota = await startRota(options);
  const changes: ServicesChange[] = [];
  rota.follow((change) => changes.push(change));
  const api: ServiceState = await rota.declare("api", { networks: ["lan"], tasks: [] });
  const code: RotaErrorCode | undefined = await refusal(rota);
  return [
    `web ${(await resolver(rota).resolve4("web")).toSorted().join(" ")}`,
    `api ${(await resolver(rota).resolve4("api")).join(" ") === api.vips[0]?.address}`,
    `refused ${code}`,
    `changes ${changes.map(({ services }) => services[0]?.after?.name).join(" ")}`,
    `log ${heard.length > 0}`,
  ];
}

async function refusal(rota: Rota): Promise<RotaErrorCode | undefined> {
  try {
    await rota.declare("web", { tasks: ["nowhere"] });
    return undefined;
  } catch (error) {
    if (error instanceof RotaError) return error.code;
    throw error;
  }
}

function resolver({ addresses: [first] }: Rota): Resolver {
  const asking = new Resolver();
  asking.setServers([`${first?.address}:${first?.port}`]);
  return asking;
}
