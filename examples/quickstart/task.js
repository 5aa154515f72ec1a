// A task of `web`: says its name to whoever fetches, and its process id at /pid. Ends when it is told to.
import { createServer } from "node:http";

const [name, address] = process.argv.slice(2);
const server = createServer(({ url }, response) =>
  response.end(url === "/pid" ? `${process.pid}\n` : `I am ${name}, at ${address}\n`),
);
server.on("error", (error) => {
  console.error(`task ${name} cannot listen: ${error.message}`);
  process.exit(1);
});
server.listen(8080, address, () => process.send?.("listening"));
