// A task of `web`: says its name to whoever fetches. Ends when it is told to.
import { createServer } from "node:http";

const [name, address] = process.argv.slice(2);
createServer((_request, response) => response.end(`I am ${name}, at ${address}\n`)).listen(
  8080,
  address,
  () => console.log(`${name} listens on ${address}:8080`),
);
