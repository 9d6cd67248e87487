import { connect } from "node:net";

export interface RedisAddress {
  readonly port: number;
  readonly password?: string;
}

/** The first whole reply in the bytes (simple string, error, integer or bulk string), or undefined. */
function parseReply(data: Buffer): string | Error | undefined {
  const lineEnd = data.indexOf("\r\n");
  if (lineEnd < 0) return undefined;
  const line = data.toString("utf8", 1, lineEnd);
  const kind = String.fromCharCode(data[0] ?? 0);
  if (kind === "-") return new Error(line);
  if (kind !== "$") return line;
  const end = lineEnd + 2 + Number(line);
  return data.length < end + 2 ? undefined : data.toString("utf8", lineEnd + 2, end);
}

function encode(args: readonly string[]): string {
  const items = args.map((arg) => `$${Buffer.byteLength(arg)}\r\n${arg}\r\n`);
  return `*${args.length}\r\n${items.join("")}`;
}

const answersWithinMs = 5_000;

/** Sends one command over a connection of its own and gives its reply as text; an error reply rejects. */
export async function redisCommand(address: RedisAddress, ...args: string[]): Promise<string> {
  const commands = address.password === undefined ? [args] : [["AUTH", address.password], args];
  let reply = "";
  for await (const text of replies(address.port, commands)) reply = text;
  return reply;
}

async function* replies(
  port: number,
  commands: readonly (readonly string[])[],
): AsyncGenerator<string, void, undefined> {
  const socket = connect({ host: "127.0.0.1", port });
  socket.setTimeout(answersWithinMs, () => socket.destroy(new Error(`Redis ${port} does not answer`)));
  try {
    const chunks = socket[Symbol.asyncIterator]();
    for (const command of commands) {
      socket.write(encode(command));
      let data = Buffer.alloc(0);
      let reply: string | Error | undefined;
      while ((reply = parseReply(data)) === undefined) {
        const next = (await chunks.next()) as IteratorResult<Buffer, undefined>;
        if (next.done === true) throw new Error(`Redis ${port} closed the connection`);
        data = Buffer.concat([data, next.value]);
      }
      if (reply instanceof Error) throw reply;
      yield reply;
    }
  } finally {
    socket.destroy();
  }
}
