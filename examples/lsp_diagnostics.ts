/**
 * Prints what a language server has to say of a file, as an editor underlines it.
 *
 *     deno run --allow-run=deno --allow-read examples/lsp_diagnostics.ts main.ts
 *     main.ts:1:7: Type 'string' is not assignable to type 'number'.
 *
 * Another server than Deno's comes behind the file, with permission to run it: `main.c clangd`.
 */
import { Framing, streamConn } from "@framewire/framewire";
import { lsp } from "@framewire/framewire/protocols";

interface Diagnostic {
  range: { start: { line: number; character: number } };
  message: string;
}

const [path, command = "deno", ...args] = Deno.args;
const languages = new Map([["ts", "typescript"], ["js", "javascript"]]);
const extension = path.slice(path.lastIndexOf(".") + 1);
const uri = new URL(await Deno.realPath(path), "file:///").href;

const server = new Deno.Command(command, {
  args: args.length === 0 && command === "deno" ? ["lsp"] : args,
  stdin: "piped",
  stdout: "piped",
  stderr: "null",
}).spawn();
await using peer = new Framing(
  streamConn({ readable: server.stdout, writable: server.stdin }),
  lsp({ maxFrameLength: 64 * 1024 * 1024 }),
);

await peer.write({
  type: "request",
  id: "initialize",
  method: "initialize",
  params: {
    processId: null,
    rootUri: null,
    capabilities: {},
    initializationOptions: { enable: true }, // Deno is silent without
  },
});
for await (const message of peer) {
  if (message.type === "request") {
    const error = { code: -32601, message: `No method ${message.method} here` };
    await peer.write({ type: "error", id: message.id, error });
  } else if (message.type === "error") {
    throw new Error(message.error.message);
  } else if (message.type === "response") {
    if (message.id === "shutdown") {
      await peer.write({ type: "notification", method: "exit" });
      continue; // the server ends, and so do its messages
    }
    const params = {
      textDocument: {
        uri,
        languageId: languages.get(extension) ?? extension,
        version: 1,
        text: await Deno.readTextFile(path),
      },
    };
    await peer.writeMany([
      { type: "notification", method: "initialized", params: {} },
      { type: "notification", method: "textDocument/didOpen", params },
    ]);
  } else if (message.method === "textDocument/publishDiagnostics") {
    const { params = {} } = message;
    if (!("diagnostics" in params) || !Array.isArray(params.diagnostics)) {
      throw new TypeError("There must be diagnostics");
    }
    const diagnostics: Diagnostic[] = params.diagnostics;
    for (const { range: { start }, message } of diagnostics) {
      console.log(
        `${path}:${start.line + 1}:${start.character + 1}: ${message}`,
      );
    }
    await peer.write({ type: "request", id: "shutdown", method: "shutdown" });
  }
}
await server.status;
