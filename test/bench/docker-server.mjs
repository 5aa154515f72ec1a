// A Rota in a process of its own, which docker.mjs starts: node docker-server.mjs ENGINE ADDRESS

import { startRota } from "../../dist/index.js";

const [, , docker, address] = process.argv;
const rota = await startRota({ docker, listen: [`udp://${address}:0`] });

process.on("disconnect", () => process.exit());
process.send({ port: rota.addresses[0].port });
