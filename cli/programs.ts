/**
 * The programs of the socket tutorials.
 *
 * @module
 */

import { appClient } from "./app_client.ts";
import { appServer } from "./app_server.ts";
import { asciiLengthClient } from "./ascii_length_client.ts";
import { asciiLengthServer } from "./ascii_length_server.ts";
import { asyncServer } from "./async_server.ts";
import { blocking } from "./blocking.ts";
import { byteOrder } from "./byte_order.ts";
import { chatClient } from "./chat_client.ts";
import { chatServer } from "./chat_server.ts";
import { deadPeer } from "./dead_peer.ts";
import { delimitedClient } from "./delimited_client.ts";
import { delimitedServer } from "./delimited_server.ts";
import { demo } from "./demo.ts";
import { echoClient } from "./echo_client.ts";
import { echoServer } from "./echo_server.ts";
import { fixedClient } from "./fixed_client.ts";
import { fixedServer } from "./fixed_server.ts";
import { forkingServer } from "./forking_server.ts";
import { halfCloseClient } from "./half_close_client.ts";
import { halfCloseServer } from "./half_close_server.ts";
import { helloClient } from "./hello_client.ts";
import { helloServer } from "./hello_server.ts";
import { httpGet } from "./http_get.ts";
import { multiconnClient } from "./multiconn_client.ts";
import { multiconnServer } from "./multiconn_server.ts";
import { netstat } from "./netstat.ts";
import { nonblocking } from "./nonblocking.ts";
import { ping } from "./ping.ts";
import { receiveFile } from "./receive_file.ts";
import { resolve } from "./resolve.ts";
import { selectServer } from "./select_server.ts";
import { sendFile } from "./send_file.ts";
import { sendUntilFull } from "./send_until_full.ts";
import { stalledServer } from "./stalled_server.ts";
import { threadedServer } from "./threaded_server.ts";
import { timeout } from "./timeout.ts";
import { tour } from "./tour.ts";
import { typedClient } from "./typed_client.ts";
import { typedServer } from "./typed_server.ts";
import { udpClient } from "./udp_client.ts";
import { udpServer } from "./udp_server.ts";
import { unixClient } from "./unix_client.ts";
import { unixServer } from "./unix_server.ts";
import { untilCloseClient } from "./until_close_client.ts";
import { untilCloseServer } from "./until_close_server.ts";
import { urlGet } from "./url_get.ts";
import { webServer } from "./web_server.ts";
import type { Program } from "./program.ts";

/** Every program, in the order in which to get to know them. */
export const programs: readonly Program[] = [
  demo,
  tour,
  echoServer,
  echoClient,
  multiconnServer,
  multiconnClient,
  appServer,
  appClient,
  helloServer,
  helloClient,
  fixedServer,
  fixedClient,
  typedServer,
  typedClient,
  delimitedServer,
  delimitedClient,
  asciiLengthServer,
  asciiLengthClient,
  untilCloseServer,
  untilCloseClient,
  halfCloseServer,
  halfCloseClient,
  receiveFile,
  sendFile,
  httpGet,
  urlGet,
  webServer,
  blocking,
  timeout,
  nonblocking,
  deadPeer,
  stalledServer,
  sendUntilFull,
  threadedServer,
  forkingServer,
  asyncServer,
  selectServer,
  chatServer,
  chatClient,
  udpServer,
  udpClient,
  unixServer,
  unixClient,
  netstat,
  ping,
  resolve,
  byteOrder,
];

/** Those that are of use without the tutorials. */
export const utilities: readonly Program[] = [netstat, ping, resolve];
