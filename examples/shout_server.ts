import { lines, reply, serve } from "@framewire/framewire";

const server = serve(
  { port: 65432, onError: (error) => console.error(error) },
  lines(),
  reply((line) => line.toUpperCase() + "!"),
);
Deno.addSignalListener("SIGINT", () => server.shutdown());
console.log(`listening on ${server.addr.hostname}:${server.addr.port}`);
