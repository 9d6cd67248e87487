/** A command and its arguments. */
export type Args = readonly (string | number | bigint)[];

/**
 * A command as RESP, one character for each byte, to be written as latin1: concatenating text and writing it once is
 * cheaper than copying each command into a buffer. Arguments go as UTF-8.
 */
export function encodeCommand(args: Args): string {
  return `*${args.length}\r\n${encodeArgs(args)}`;
}

/** Arguments as they stand in a command, for commands of which parts are made once. */
export function encodeArgs(args: Args): string {
  let text = "";
  for (const arg of args) {
    const value = asBytes(typeof arg === "string" ? arg : String(arg));
    text += `$${value.length}\r\n${value}\r\n`;
  }
  return text;
}

function asBytes(text: string): string {
  return Buffer.byteLength(text) === text.length ? text : Buffer.from(text).toString("latin1");
}
