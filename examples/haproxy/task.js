// A task of `web`: says its name to whoever fetches, and how it is to who checks. `/ill` and `/well` change that.
import { createServer } from "node:http";

const [name, address, port] = process.argv.slice(2);
let health = 200;

createServer((request, response) => {
  if (request.url === "/ill") health = 503;
  if (request.url === "/well") health = 200;
  // An upload is answered when all of it is here.
  request.resume().once("end", () => {
    response.writeHead(request.url === "/healthz" ? health : 200).end(`I am ${name}\n`);
  });
}).listen(Number(port), address, () => console.log(`${name} listens on ${address}:${port}`));
