/**
 * The asynchronous server as a process.
 *
 * @module
 */

import { testEchoServer } from "../support/echo_servers.ts";

testEchoServer({ name: "async-server", path: "cli/async_server.ts" });
