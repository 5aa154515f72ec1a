// Network namespaces for the part `planes`: a client, a node that routes, and two tasks behind it.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const NODE = "10.90.0.1";
export const TASKS = ["10.90.1.2", "10.90.2.2"];

/** Why the lab cannot be had here; undefined: it can. */
export function obstacleToLab() {
  if (process.getuid?.() !== 0) return "not root";
  const programs = ["ip", "nft", "conntrack", "haproxy", "nginx", "ab", "curl", "iperf3"];
  const missing = programs.filter((name) => spawnSync("sh", ["-c", `command -v ${name}`]).status !== 0);
  return missing.length > 0 ? `${missing.join(", ")}: not installed` : undefined;
}

export async function openLab() {
  const folder = await mkdtemp(join(tmpdir(), "rota-bench-planes-"));
  const name = (place) => `rb-${process.pid}-${place}`;
  const places = ["node", "client", "t0", "t1"];
  const servers = [];
  const lab = {
    folder,
    /** What runs a command in a place, in front of it. */
    enter: (place) => ["ip", "netns", "exec", name(place)],
    run(place, ...words) {
      const [program, ...args] = [...lab.enter(place), ...words];
      const { status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8" });
      if (status !== 0) throw new Error(`${words.join(" ")} in ${place}: ${stderr}${stdout}`);
      return stdout;
    },
    /** Starts what goes on until it is ended. */
    start(place, ...words) {
      const [program, ...args] = [...lab.enter(place), ...words];
      const child = spawn(program, args, { stdio: "ignore" });
      servers.push(child);
      return child;
    },
    async end(child) {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, "exit");
      child.kill("SIGTERM");
      await exited;
    },
    async close() {
      for (const child of servers) await lab.end(child);
      for (const place of places) spawnSync("ip", ["netns", "del", name(place)]);
      await rm(folder, { recursive: true });
    },
  };
  try {
    await lay();
  } catch (error) {
    await lab.close();
    throw error;
  }
  return lab;

  async function lay() {
    for (const place of places) ip("netns", "add", name(place));
    for (const place of places) lab.run(place, "ip", "link", "set", "lo", "up");
    lab.run("node", "sysctl", "-qw", "net.ipv4.ip_forward=1");
    link("client", "10.90.0", 2);
    link("t0", "10.90.1", 2);
    link("t1", "10.90.2", 2);
    for (const place of ["t0", "t1"]) {
      lab.start(place, "nginx", "-g", "daemon off;", "-c", await nginxConfig(folder, place));
      lab.start(place, "iperf3", "--server", "--port", "5201");
    }
  }

  /** Links a place to the node, which is NET.1 to it and has the way to all others. */
  function link(place, net, host) {
    ip(
      "link",
      "add",
      "up0",
      "netns",
      name(place),
      "type",
      "veth",
      "peer",
      `to-${place}`,
      "netns",
      name("node"),
    );
    lab.run("node", "ip", "addr", "add", `${net}.1/24`, "dev", `to-${place}`);
    lab.run("node", "ip", "link", "set", `to-${place}`, "up");
    lab.run(place, "ip", "addr", "add", `${net}.${host}/24`, "dev", "up0");
    lab.run(place, "ip", "link", "set", "up0", "up");
    lab.run(place, "ip", "route", "add", "default", "via", `${net}.1`);
  }

  function ip(...words) {
    const { status, stderr } = spawnSync("ip", words, { encoding: "utf8" });
    if (status !== 0) throw new Error(`ip ${words.join(" ")}: ${stderr}`);
  }
}

async function nginxConfig(folder, place) {
  const file = join(folder, `${place}.conf`);
  const text = `pid ${folder}/${place}.pid; error_log stderr crit; worker_processes 1;
events { worker_connections 4096; }
http { access_log off; keepalive_timeout 0; server { listen 8080 backlog=4096; return 200 "ok"; } }
`;
  await writeFile(file, text);
  return file;
}

export async function haproxyConfig(folder) {
  const file = join(folder, "haproxy.cfg");
  const servers = (port) => TASKS.map((address, at) => `  server t${at} ${address}:${port}`).join("\n");
  const text = `global
  nbthread 1
  maxconn 4000
defaults
  mode tcp
  timeout connect 3s
  timeout client 60s
  timeout server 60s
listen web
  bind :::30080 v4v6
  balance roundrobin
${servers(8080)}
listen iperf
  bind :::30201 v4v6
  balance roundrobin
  server t0 ${TASKS[0]}:5201
`;
  await writeFile(file, text);
  return file;
}
