/**
 * One frame: everything until the peer closes.
 *
 * @module
 */

import { untilClose } from "@framewire/framewire";
import { testEncoding } from "../support/encoding.ts";
import { testStreams } from "../support/outcomes.ts";
import { raw } from "../support/wire.ts";

testStreams("untilClose()", [
  { name: "has no frame in nothing", codec: untilClose(), steps: [] },
  {
    name: "yields everything at the end of the stream",
    codec: untilClose(),
    steps: [["one"], [""], [" two"]],
    end: ["=one two", "end"],
  },
  {
    name: "refuses the first byte over the limit",
    codec: untilClose({ maxFrameLength: 5 }),
    steps: [["hello"], ["!", "too large: 6 > 5"]],
  },
  {
    name: "refuses any byte if the limit is none",
    codec: untilClose({ maxFrameLength: 0 }),
    steps: [["h", "too large: 1 > 0"]],
  },
]);

testEncoding("untilClose()", [
  {
    name: "writes a frame as it is",
    codec: untilClose(),
    frame: raw("ab"),
    wire: "ab",
  },
  {
    name: "refuses a frame over the limit",
    codec: untilClose({ maxFrameLength: 5 }),
    frame: raw("hello!"),
    fault: [RangeError, "length 6 exceeds maxFrameLength of 5 bytes"],
  },
]);
