import { startChild } from "./child.mjs";
import { isVip, TASKS } from "./scale-services.mjs";
import { quantile } from "./table.mjs";

const { env } = process;
const ALL_TASKS = Number(env.ROTA_BENCH_TASKS ?? 100_000);
const SECONDS = Number(env.ROTA_BENCH_SECONDS ?? 10);
const CHANGES_A_SECOND = Number(env.ROTA_BENCH_CHANGE_RATE ?? 1000);
const QUERIES_A_SECOND = Number(env.ROTA_BENCH_QUERY_RATE ?? 20_000);
/** So many services change, each every so often; all questions are for them. */
const CHANGING = 500;

/** What is answered while services change: how soon, and whether it is true. Exits with 1 if it is not. */
export async function churn() {
  // On no core of its own: what a lane is for is that it need not wait for the thread that changes.
  const server = startChild("churn-server.mjs", [ALL_TASKS]);
  let asker;
  try {
    const { port } = await server.hear();
    asker = startChild("churn-asker.mjs", [port], { core: 1 });
    await asker.hear();
    const services = changingServices();
    const questions = { services, rate: QUERIES_A_SECOND, seconds: 1, isKept: false };
    asker.tell(questions);
    await asker.hear(); // the code is compiled
    asker.tell({ ...questions, seconds: SECONDS, isKept: true });
    server.tell({ services, rate: CHANGES_A_SECOND, seconds: SECONDS });
    const [told, changed] = await Promise.all([asker.hear(), server.hear()]);
    const result = judge(told, changed);
    print(result);
    if (result.stale + result.wrong > 0) process.exitCode = 1;
    return result;
  } finally {
    await asker?.end();
    await server.end();
  }
}

function changingServices() {
  const dnsrr = Array.from({ length: ALL_TASKS / TASKS }, (_, service) => service).filter(
    (one) => !isVip(one),
  );
  const every = Math.max(1, Math.floor(dnsrr.length / CHANGING));
  return dnsrr.filter((_, at) => at % every === 0).slice(0, CHANGING);
}

/**
 * An answer is stale if its question was sent when the promise of a change had resolved already that it does not show;
 * wrong if it shows what was not declared yet when it came, of another service, or anything else.
 */
function judge({ sent, unanswered, replies }, { changes, cpuUs, waitedUs }) {
  const byService = groupByService(changes);
  let stale = 0;
  let wrong = 0;
  for (const { service, number, isSound, sentUs, receivedUs } of replies) {
    const history = byService.get(service) ?? [];
    const shown = history.find((change) => change.number === number);
    const isShown = number === 0 || (shown !== undefined && shown.declaredUs <= receivedUs);
    const due = history.findLast(({ resolvedUs }) => resolvedUs < sentUs);
    if (!isSound || !isShown) wrong += 1;
    else if (due !== undefined && number < due.number) stale += 1;
  }
  const latenciesUs = replies.map(({ sentUs, receivedUs }) => receivedUs - sentUs);
  const changesUs = changes.map(({ declaredUs, resolvedUs }) => resolvedUs - declaredUs);
  return {
    tasks: ALL_TASKS,
    queriesASecond: Math.round(sent / SECONDS),
    changesASecond: Math.round(changes.length / SECONDS),
    unanswered,
    stale,
    wrong,
    latencyUs: spread(latenciesUs),
    changeUs: spread(changesUs),
    coresUsed: cpuUs / 1e6 / SECONDS,
    coreTakenByOthers: waitedUs / 1e6 / SECONDS,
  };
}

function groupByService(changes) {
  const groups = new Map();
  for (const change of changes) {
    const group = groups.get(change.service);
    if (group) group.push(change);
    else groups.set(change.service, [change]);
  }
  return groups;
}

function spread(figures) {
  return { p50: quantile(figures, 0.5), p99: quantile(figures, 0.99), max: quantile(figures, 1) };
}

function print({ latencyUs, changeUs, ...rest }) {
  const { tasks, queriesASecond, changesASecond, unanswered, stale, wrong } = rest;
  const shown = ({ p50, p99, max }) => [p50, p99, max].map((us) => (us / 1000).toFixed(3)).join(" / ");
  console.log(`${tasks} tasks, ${queriesASecond} queries and ${changesASecond} changes a second`);
  console.log(`stale answers ${stale}, wrong ones ${wrong}, none at all to ${unanswered}`);
  console.log(`latency p50 / p99 / max: ${shown(latencyUs)} ms`);
  console.log(`declare p50 / p99 / max: ${shown(changeUs)} ms`);
  console.log(
    `cores used ${rest.coresUsed.toFixed(2)}, taken by others ${rest.coreTakenByOthers.toFixed(2)}`,
  );
}
