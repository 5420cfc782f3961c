/**
 * Values as Python prints them, so that output can be held against the tutorials' transcripts.
 *
 *     {"result": "Ring 💍", "found": true}   →   {'result': 'Ring 💍', 'found': True}
 *
 * @module
 */

const ESCAPES = new Map([["\t", "\\t"], ["\n", "\\n"], ["\r", "\\r"]]);
/** What Python holds to be not printable: controls, formats, unassigned, and any space but the usual one. */
const UNPRINTABLE = /(?! )[\p{C}\p{Z}]/gu;
/** What would break a line in two, turn it round, or steer the terminal. */
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu;

/**
 * Writes a JSON value as Python's `repr` does. Numbers are written as in JavaScript, where `1.0` is `1`.
 *
 * @param value The value, as `JSON.parse` gives it.
 * @returns The literal, on one line.
 */
export function pythonLiteral(value: unknown): string {
  if (typeof value === "string") return textLiteral(value);
  if (value === true) return "True";
  if (value === false) return "False";
  if (value === null || value === undefined) return "None";
  if (Array.isArray(value)) return `[${value.map(pythonLiteral).join(", ")}]`;
  if (typeof value !== "object") return String(value);
  const entries = Object.entries(value).map(([name, entry]) =>
    `${textLiteral(name)}: ${pythonLiteral(entry)}`
  );
  return `{${entries.join(", ")}}`;
}

/**
 * Makes text that came from elsewhere safe to print: one line, and no orders to the terminal.
 *
 * @param text The text.
 * @returns The text with its control characters escaped.
 */
export function oneLine(text: string): string {
  return text.replace(CONTROL, escape);
}

function textLiteral(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = text.replaceAll("\\", "\\\\").replaceAll(quote, `\\${quote}`)
    .replace(UNPRINTABLE, escape);
  return quote + escaped + quote;
}

function escape(character: string): string {
  const known = ESCAPES.get(character);
  if (known !== undefined) return known;
  const code = character.codePointAt(0) ?? 0;
  const hex = code.toString(16);
  if (code < 0x100) return `\\x${hex.padStart(2, "0")}`;
  if (code < 0x10000) return `\\u${hex.padStart(4, "0")}`;
  return `\\U${hex.padStart(8, "0")}`;
}
