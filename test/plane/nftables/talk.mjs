// One side of a flow, in a namespace of its own: `serve NAME PORT` tells its name to whoever says something,
// `ask tcp|udp ADDRESS PORT` says something for each line that it reads, and prints what came back, `flood ADDRESS PORT`
// sends datagrams without a pause until it is killed, and prints that it has begun.

import { createSocket } from "node:dgram";
import { connect, createServer } from "node:net";
import { createInterface } from "node:readline";

const [mode, first, ...rest] = process.argv.slice(2);
if (mode === "serve") serve(first, Number(rest[0]));
else if (mode === "flood") flood(first, Number(rest[0]));
else ask(first, rest[0], Number(rest[1]));

function serve(name, port) {
  const socket = createSocket({ type: "udp6" }).on("message", (_, from) => {
    socket.send(`${name} ${plain(from.address)}`, from.port, from.address);
  });
  const server = createServer((client) => {
    client.on("error", () => {}).on("data", () => client.write(`${name} ${plain(client.remoteAddress)}\n`));
  });
  socket.bind(port, () => server.listen(port, () => console.log("ready")));
}

function plain(address) {
  return address.replace("::ffff:", "");
}

function ask(protocol, address, port) {
  const say = protocol === "tcp" ? overTcp(address, port) : overUdp(address, port);
  createInterface(process.stdin).on("line", say);
}

function overTcp(address, port) {
  const client = connect(port, address);
  const said = [];
  client.on("error", (error) => said.push(error.code));
  client.on("data", (reply) => console.log(String(reply).trim()));
  client.on("close", () => console.log(said[0] ?? "closed"));
  return () => client.write("say\n");
}

function overUdp(address, port) {
  const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
  socket.on("message", (reply) => console.log(String(reply)));
  socket.on("error", (error) => console.log(error.code));
  socket.connect(port, address);
  return () => socket.send("say");
}

function flood(address, port) {
  const socket = createSocket("udp4");
  const ignore = () => {}; // what is not let out is none of its business
  const more = () => {
    for (let count = 0; count < 64; count++) socket.send("x", ignore);
    setImmediate(more);
  };
  socket.connect(port, address, () => {
    more();
    console.log("flooding");
  });
}
