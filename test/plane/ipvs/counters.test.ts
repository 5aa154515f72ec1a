import { expect, test } from "vitest";
import { readCounters } from "../../../src/plane/ipvs/counters.ts";

const LIST = `IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn
TCP  10.64.0.1:80 wrr (flag-3)
  -> 10.61.1.11:8080              Masq    5      3          7
  -> 10.61.1.12:8080              Masq    0      0          0
UDP  [fd64::1]:53 mh (mh-fallback) persistent 60
  -> [fd61::11]:5353              Masq    1      0          4
FWM  257 rr
  -> 10.61.1.11:0                 Masq    1      1          0
TCP  10.64.0.3:80 sh (sh-fallback)
`;

const STATS = `IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port               Conns   InPkts  OutPkts  InBytes OutBytes
  -> RemoteAddress:Port
TCP  10.64.0.1:80                12000003        4        5        6        7
  -> 10.61.1.11:8080             12000000        3        4        5        6
  -> 10.61.1.12:8080                    3        1        1        1        1
UDP  [fd64::1]:53                       9        0        0        0        0
  -> [fd61::11]:5353                    9        0        0        0        0
FWM  257                                1        0        0        0        0
  -> 10.61.1.11:0                       1        0        0        0        0
TCP  10.64.0.3:80                       0        0        0        0        0
`;

test("flows and those that are open are read, of datagrams those that are not forgotten", () => {
  expect(readCounters(LIST, STATS)).toEqual(
    new Map([
      [
        "-t 10.64.0.1:80",
        new Map([
          ["10.61.1.11:8080", { flows: 12_000_000, active: 3 }],
          ["10.61.1.12:8080", { flows: 3, active: 0 }],
        ]),
      ],
      ["-u [fd64::1]:53", new Map([["[fd61::11]:5353", { flows: 9, active: 4 }]])],
      ["FWM 257", new Map([["10.61.1.11:0", { flows: 1, active: 1 }]])],
      ["-t 10.64.0.3:80", new Map()],
    ]),
  );
});
