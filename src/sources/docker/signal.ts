/** signal(7): by their numbers on x86 and ARM, from 1 on. An engine runs on Linux, wherever it is asked from. */
const NAMES =
  "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS".split(
    " ",
  );
/** As glibc has them, which keeps the two before for itself. */
const RTMIN = 34;
const RTMAX = 64;

export const SIGTERM = 15;
export const SIGKILL = 9;

/** The number of `SIGTERM`, `term`, `15` or `SIGRTMIN+3`; undefined: it is none. */
export function parseSignal(text: string): number | undefined {
  const name = text.toUpperCase().replace(/^SIG/, "");
  if (/^\d{1,2}$/.test(name)) return within(Number(name));
  const [, end, sign, steps = "0"] = /^RT(MIN|MAX)(?:([+-])(\d{1,2}))?$/.exec(name) ?? [];
  if (end === "MIN" && sign !== "-") return within(RTMIN + Number(steps));
  if (end === "MAX" && sign !== "+") return within(RTMAX - Number(steps));
  const found = NAMES.indexOf(name);
  return found < 0 ? undefined : found + 1;
}

function within(number: number): number | undefined {
  return number >= 1 && number <= RTMAX ? number : undefined;
}
