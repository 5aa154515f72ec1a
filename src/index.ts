export { startRota, type Rota } from "./app/rota.ts";
export type { AnswerExplanation, Explanation } from "./app/explain.ts";
export type { TaskExplanation } from "./app/explain-task.ts";
export type { RotaOptions } from "./app/options.ts";
export type { PlaneTraffic, PortTraffic, TaskTraffic, Traffic } from "./app/traffic.ts";
export type { NameConflict, ServicesChange, ServiceState, TaskState } from "./app/state.ts";
export { RotaError, type RotaErrorCode } from "./base/error.ts";
export type { Log } from "./base/log.ts";
export type { ConnectionCounters, Counters, LaneCounters, Transport } from "./dns/counters.ts";
export type { CacheCounters } from "./dns/forward/cache.ts";
export type { ForwardCounters } from "./dns/forward/counters.ts";
export type { ListenAddress } from "./dns/listen.ts";
export type { Outside } from "./dns/respond.ts";
export type { Scope } from "./model/view.ts";
export { type HealthCounters, type Timing, TIMING_BOUNDS_MS } from "./health/counters.ts";
export type { Availability } from "./model/availability.ts";
export type { Duty, PlaneKind } from "./plane/plane.ts";
export type { PlaneChoice } from "./plane/planes.ts";
export type {
  Balance,
  EndpointMode,
  Order,
  Protocol,
  PublishMode,
  TrafficPolicy,
  WhenEmpty,
} from "./model/declaration.ts";
export type { DurationInput } from "./schema/duration-input.ts";
export type {
  DnsInput,
  GrpcInput,
  HealthcheckInput,
  HoldInput,
  HttpInput,
  HttpsInput,
  MatchInput,
  PatternInput,
  PortWordInput,
  StatusInput,
  TcpInput,
  TlsInput,
} from "./schema/healthcheck-input.ts";
export type {
  AddressInput,
  NetworkInput,
  PortInput,
  PortMapping,
  ServiceDeclaration,
  ServicesFile,
  TaskInput,
  TaskMapping,
} from "./schema/input.ts";
export type { Verdict } from "./registry/service.ts";
