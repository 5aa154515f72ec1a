import { contractOf } from "./contract.ts";
import { USERSPACE } from "./contract/subjects.ts";

contractOf("the userspace plane, as nobody on loopback", USERSPACE);
