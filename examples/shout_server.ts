import { lines, reply, serve } from "@framewire/framewire";

const server = serve(
  { hostname: "127.0.0.1", port: 65432 },
  lines(),
  reply((line) => line.toUpperCase() + "!"),
);
console.log(`listening on ${server.addr.hostname}:${server.addr.port}`);
