/** What strangers can make grow, and how long anything may take. */
export interface UserspaceLimits {
  /** TCP connections of all frontends; the client above it is reset. @default 10,000 */
  readonly maxConnections: number;
  /** UDP flows of all frontends; above it, the one idle for longest is ended. @default 10,000 */
  readonly maxFlows: number;
  /** Clients whose task is remembered, of all frontends with affinity; above it, the oldest is forgotten. @default 65,536 */
  readonly maxClients: number;
  /** Milliseconds that connecting to a task may take. @default 3000 */
  readonly connectMs: number;
  /** How many tasks a flow is tried on before it is given up. @default 3 */
  readonly tries: number;
  /** Milliseconds that a TCP connection may be silent; 0: for ever. @default 3,600,000 */
  readonly idleMs: number;
  /** Milliseconds that a UDP flow may be silent. @default 60,000 */
  readonly udpIdleMs: number;
}

export const USERSPACE_LIMITS: UserspaceLimits = {
  maxConnections: 10_000,
  maxFlows: 10_000,
  maxClients: 65_536,
  connectMs: 3000,
  tries: 3,
  idleMs: 3_600_000,
  udpIdleMs: 60_000,
};
