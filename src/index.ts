export { startRota, type Rota } from "./app/rota.ts";
export type { RotaOptions } from "./app/options.ts";
export type { NameConflict, ServicesChange, ServiceState, TaskState } from "./app/state.ts";
export { RotaError, type RotaErrorCode } from "./base/error.ts";
export type { Log } from "./base/log.ts";
export type { ConnectionCounters, Counters, Transport } from "./dns/counters.ts";
export type { ListenAddress } from "./dns/listen.ts";
export type { Outside } from "./dns/respond.ts";
export type { EndpointMode, Order, Protocol, WhenEmpty } from "./model/declaration.ts";
export type {
  AddressInput,
  DurationInput,
  NetworkInput,
  PortInput,
  PortMapping,
  ServiceDeclaration,
  ServicesFile,
  TaskInput,
  TaskMapping,
} from "./schema/input.ts";
export type { Verdict } from "./registry/service.ts";
