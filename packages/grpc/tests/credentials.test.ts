import { describe, expect, it } from "vitest";

import {
  createClient,
  GrpcError,
  Metadata,
  openChannel,
  serve,
  serviceOf,
  Status,
  type CallCredentials,
  type ChannelOptions,
} from "../src/index.ts";
import { selfSigned } from "./certificate.ts";
import { Chat, listener } from "./chat-service.ts";
import { drain, Echo, NoteSchema, pair, parrot } from "./echo-service.ts";

const { cert, key } = selfSigned();
const token =
  (value: string): CallCredentials =>
  () =>
    Metadata.from({ authorization: value });

/** What a server saw of `authorization` in calls of each kind, over TLS. */
async function seenOf(
  options: ChannelOptions,
  credentials: CallCredentials | undefined,
): Promise<(string[] | undefined)[]> {
  const seen: (string[] | undefined)[] = [];
  const server = await serve({
    services: [serviceOf(Echo, parrot), serviceOf(Chat, listener)],
    host: "127.0.0.1",
    port: 0,
    tls: { cert, key },
    interceptors: [
      {
        unary: async (call, next) => {
          seen.push(call.metadata.getAll("authorization"));
          return next();
        },
        serverStream: (call, next) => {
          seen.push(call.metadata.getAll("authorization"));
          return next();
        },
      },
    ],
  });
  const channel = openChannel(`127.0.0.1:${server.port}`, {
    tls: { ca: cert, servername: "localhost" },
    ...options,
  });
  const call = credentials === undefined ? {} : { credentials };
  const notes = async function* () {
    yield { text: "a" };
  };
  await createClient(Echo, channel).say({ text: "x" }, call);
  await drain(createClient(Echo, channel).repeat({ count: 1 }, call));
  await createClient(Chat, channel).collect(notes(), call);
  channel.close();
  await server.close(0);
  return seen;
}

describe("credentials", () => {
  it("of a channel and of a call are sent with each kind of call, anew each time", async () => {
    let made = 0;
    const counting: CallCredentials = async ({ path, authority }) =>
      Metadata.from({ authorization: `${++made} ${path.split("/")[2]} ${authority.startsWith("127.")}` });
    expect(await seenOf({ credentials: counting }, token("own"))).toEqual([
      ["1 Say true", "own"],
      ["2 Repeat true", "own"],
      ["3 Collect true", "own"],
    ]);
    expect(await seenOf({}, token("own"))).toEqual([["own"], ["own"], ["own"]]);
    expect(await seenOf({}, undefined)).toEqual([[], [], []]);
  });

  it("are not sent without TLS, unless that is asked for", async () => {
    let asked = false;
    const credentials: CallCredentials = () => {
      asked = true;
      return new Metadata();
    };
    await using peers = await pair();
    const client = createClient(Echo, peers.channel);
    const refused = { code: Status.UNAUTHENTICATED, message: "credentials are sent over TLS alone" };
    await expect(client.say({}, { credentials })).rejects.toMatchObject(refused);
    expect((await drain(client.repeat({ count: 1 }, { credentials }))).error).toMatchObject(refused);
    expect(asked).toBe(false);
    const open = openChannel(`127.0.0.1:${peers.server.port}`, { credentials, insecureCredentials: true });
    expect(await createClient(Echo, open).say({ text: "x" })).toMatchObject({ text: "x" });
    expect(asked).toBe(true);
    open.close();
  });

  it.each([
    ["an error", new Error("no key"), { code: Status.UNAUTHENTICATED }],
    ["a status", new GrpcError(Status.UNAVAILABLE, "later"), { code: Status.UNAVAILABLE, message: "later" }],
  ])("that fail with %s fail the call", async (_, thrown, expected) => {
    const credentials: CallCredentials = () => {
      throw thrown;
    };
    const channel = openChannel("127.0.0.1:1", { credentials, insecureCredentials: true });
    await expect(createClient(Echo, channel).say({})).rejects.toMatchObject(expected);
    channel.close();
  });

  it("are waited for until the deadline or the cancellation of the call", async () => {
    const never: CallCredentials = async () => new Promise(() => {});
    const channel = openChannel("127.0.0.1:1", { credentials: never, insecureCredentials: true });
    const client = createClient(Echo, channel);
    await expect(client.say({}, { timeoutMs: 20 })).rejects.toMatchObject({ code: Status.DEADLINE_EXCEEDED });
    const cancel = new AbortController();
    const call = client.say({}, { signal: cancel.signal });
    cancel.abort();
    await expect(call).rejects.toMatchObject({ code: Status.CANCELLED });
    channel.close();
  });
});

describe("interceptors of a client", () => {
  it("wrap each call, the first outermost, and may change its options", async () => {
    const told: string[] = [];
    const recorder = (name: string): NonNullable<ChannelOptions["interceptors"]>[number] => ({
      async unary(path, options, next) {
        told.push(`${name} ${path}`);
        const metadata = options.metadata ?? new Metadata();
        metadata.append("x-through", name);
        const answer = await next({ ...options, metadata });
        told.push(`${name} out`);
        return answer;
      },
      async *stream(_, options, next) {
        told.push(`${name} stream`);
        yield* next(options);
        told.push(`${name} out`);
      },
    });
    let through: string[] = [];
    await using peers = await pair(
      {
        say(request, call) {
          through = call.metadata.getAll("x-through");
          return request;
        },
      },
      { channel: { interceptors: [recorder("a"), recorder("b")] } },
    );
    const client = createClient(Echo, peers.channel);
    await client.say({});
    expect(through).toEqual(["a", "b"]);
    expect(told.splice(0)).toEqual(["a /test.Echo/Say", "b /test.Echo/Say", "b out", "a out"]);
    await drain(client.repeat({ count: 2 }));
    expect(told.splice(0)).toEqual(["a stream", "b stream", "b out", "a out"]);
  });

  it("may make a call again, or not at all", async () => {
    let calls = 0;
    await using peers = await pair(
      {
        say() {
          if (++calls === 1) throw new GrpcError(Status.ABORTED, "once more");
          return { text: "done" };
        },
      },
      {
        channel: {
          interceptors: [
            {
              unary: async (_, options, next) => next(options).catch(async () => next(options)),
              // oxlint-disable-next-line require-yield
              async *stream() {
                throw new GrpcError(Status.PERMISSION_DENIED, "no streams here");
              },
            },
          ],
        },
      },
    );
    const client = createClient(Echo, peers.channel);
    expect(await client.say({})).toMatchObject({ $typeName: NoteSchema.typeName, text: "done" });
    expect(calls).toBe(2);
    expect((await drain(client.repeat({ count: 1 }))).error).toMatchObject({
      code: Status.PERMISSION_DENIED,
    });
  });
});
