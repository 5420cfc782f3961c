import { connect, lines } from "@framewire/framewire";

await using peer = await connect(
  { hostname: "127.0.0.1", port: 65432 },
  lines(),
);
for (const line of ["hello", "who is there"]) {
  await peer.write(line);
  console.log(await peer.read());
}
