/**
 * What the platform's errors mean for a connection.
 *
 * @module
 */

import {
  ConnectionClosedError,
  ConnectionError,
  PeerResetError,
} from "@framewire/framewire";
import {
  assertEquals,
  assertInstanceOf,
  assertStrictEquals,
} from "@std/assert";
import { connectionFault, located } from "../../lib/net/faults.ts";

const { errors } = Deno;
const RESET = "the peer reset the connection";
const CLOSED = "the connection is closed on this side";

for (
  const [cause, kind, reason] of [
    [new errors.ConnectionReset("x"), PeerResetError, RESET],
    [new errors.ConnectionAborted("x"), PeerResetError, RESET],
    [new errors.BrokenPipe("x"), PeerResetError, RESET],
    [new errors.NotConnected("x"), PeerResetError, RESET],
    [new errors.TimedOut("x"), PeerResetError, RESET],
    [new errors.BadResource("x"), ConnectionClosedError, CLOSED],
    [new errors.Interrupted("x"), ConnectionClosedError, CLOSED],
    [new errors.UnexpectedEof("cut short"), ConnectionError, "cut short"],
    [new Error("odd"), ConnectionError, "odd"],
    ["a text", ConnectionError, "a text"],
    [undefined, ConnectionError, "undefined"],
  ] as const
) {
  const name = cause instanceof Error ? cause.name : String(cause);
  Deno.test(`connectionFault() makes ${kind.name} of ${name}`, () => {
    const fault = connectionFault("read frame", cause, " after 3 bytes");
    assertInstanceOf(fault, kind);
    assertEquals(fault.message, `Cannot read frame: ${reason} after 3 bytes`);
    assertEquals(fault.constructor, kind);
    assertStrictEquals(fault.cause, cause);
  });
}

for (
  const cause of [
    new errors.NotCapable("Requires net access"),
    new PeerResetError("Cannot write frame: the peer reset the connection"),
  ]
) {
  Deno.test(`connectionFault() leaves ${cause.name} as it is`, () => {
    assertStrictEquals(connectionFault("read frame", cause), cause);
  });
}

for (
  const [what, error, message] of [
    [
      "an error of the system",
      Object.assign(new errors.ConnectionRefused("refused"), {
        code: "ECONNREFUSED",
      }),
      "Cannot connect to here: refused",
    ],
    [
      "a name that is not known",
      new Error("failed to lookup address information: no such name"),
      "Cannot connect to here: failed to lookup address information: no such name",
    ],
    ["a missing permission", new errors.NotCapable("net"), "net"],
    ["a fault of the program's own", new TypeError("odd"), "odd"],
    ["what is no error", "why not", undefined],
  ] as const
) {
  Deno.test(`located() says where it was, and gives back the same: ${what}`, () => {
    assertStrictEquals(located("Cannot connect to here", error), error);
    if (error instanceof Error) assertEquals(error.message, message);
  });
}
