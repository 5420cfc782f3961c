/**
 * The server around `select` as a process.
 *
 * @module
 */

import { testEchoServer } from "../support/echo_servers.ts";

testEchoServer({ name: "select-server", path: "cli/select_server.ts" });
