/**
 * Prints in how many ways the wires of `samples.ts` are cut and truncated.
 *
 * @module
 */

import { codecCases, countChecks } from "./samples.ts";

const { samples, cuts, truncations } = countChecks();
console.log(
  `${codecCases.length} codecs, ${samples} samples, ${cuts} cuts, ${truncations} truncations`,
);
