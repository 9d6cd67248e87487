import { type EventEmitter, once } from "node:events";
import type { Socket } from "node:net";
import pg from "pg";
import { formatLsn, type Lsn } from "./lsn.ts";
import { decodeWalMessage, encodeStatus, type WalMessage } from "./walsender.ts";

/**
 * A connection to a walsender: SQL by the simple protocol, replication commands, and the stream.
 *
 * Why not the package pg-logical-replication: it adds one to every LSN that it confirms. The commit record of a
 * transaction that overlaps another often begins where the other's ends; with the one added, it counts as
 * confirmed and is never sent again (tests/overlap.test.ts). So neither the end of a transaction nor the keepalive of
 * an idle server can be confirmed by it. Besides, its timer confirms what was received, applied or not; it parses
 * and queues all that has arrived before it holds back; and its rows may lie in pg's buffer, which is reused. Its
 * parser is sound, but what we need of it is a fifth.
 */
export interface ReplicationConnection {
  query<Row extends object>(text: string): Promise<Row[]>;
  /** Starts streaming; after this nothing else can be asked. */
  stream(options: StreamOptions): ReplicationStream;
  /** Ends at once; what was confirmed is sent before. */
  close(): Promise<void>;
}

export interface StreamOptions {
  readonly slot: string;
  readonly publication: string;
  /** Transactions whose commit record begins before it are not sent. */
  readonly from: Lsn;
  /** Called synchronously; the message is valid during the call only. A throw ends the stream. */
  readonly onMessage: (message: WalMessage) => void;
}

export interface ReplicationStream {
  /** Resolves when the server streams. */
  readonly started: Promise<void>;
  /** Rejects when the stream has ended, whatever the cause. Never resolves. */
  readonly ended: Promise<never>;
  /** Tells the server how far it may forget. Sent at once, and again every second while the stream lives. */
  confirm(lsn: Lsn): void;
  /** Stops reading: TCP holds the server back. The server still hears from us. */
  pause(): void;
  resume(): void;
}

const connectTimeoutMs = 5_000;
const closeLimitMs = 1_000;
const statusEveryMs = 1_000;
/** The server is asked for a sign of life after this long, and given up after three times as long. */
const silenceMs = 10_000;

/** The part of pg's connection that its types leave out. */
interface Wire extends EventEmitter {
  readonly stream: Socket;
  sendCopyFromChunk(chunk: Buffer): void;
}

export async function connectReplication(
  url: string,
  applicationName: string,
): Promise<ReplicationConnection> {
  const config: pg.ClientConfig & { readonly replication: "database" } = {
    connectionString: url,
    application_name: applicationName,
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
    // Not in pg's types. Speaks to a walsender that knows the URL's database.
    replication: "database",
  };
  const client = new pg.Client(config);
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => undefined);
  client.on("error", (error) => failed.reject(error));
  client.on("end", () => failed.reject(new Error("Postgres closed the connection")));
  await client.connect();
  const wire = (client as unknown as { readonly connection: Wire }).connection;
  let timer: NodeJS.Timeout | undefined;

  function stream({ slot, publication, from, onMessage }: StreamOptions): ReplicationStream {
    let confirmed = 0n;
    let paused = false;
    let heardAtMs = performance.now();

    wire.on("copyData", ({ chunk }: { chunk: Buffer }) => {
      heardAtMs = performance.now();
      try {
        const message = decodeWalMessage(chunk);
        if (message !== undefined) onMessage(message);
      } catch (error) {
        failed.reject(error);
        void client.end();
      }
    });
    const command =
      `START_REPLICATION SLOT ${slot} LOGICAL ${formatLsn(from)} ` +
      `(proto_version '1', publication_names '${publication}', binary 'true')`;
    const begun = once(wire, "replicationStart");
    client.query(command).then(
      () => failed.reject(new Error("Postgres ended the stream")),
      (error: unknown) => failed.reject(error),
    );

    const send = (replyWanted: boolean): void => wire.sendCopyFromChunk(encodeStatus(confirmed, replyWanted));
    const watch = (): void => {
      const silentMs = paused ? 0 : performance.now() - heardAtMs;
      if (silentMs > 3 * silenceMs) {
        failed.reject(new Error(`Postgres was silent for ${Math.round(silentMs)} ms`));
        void client.end();
      } else send(silentMs > silenceMs);
    };

    return {
      started: Promise.race([begun, failed.promise]).then(() => {
        timer = setInterval(watch, statusEveryMs);
      }),
      ended: failed.promise,
      confirm(lsn) {
        confirmed = lsn;
        send(false);
      },
      pause() {
        paused = true;
        wire.stream.pause();
      },
      resume() {
        if (!paused) return;
        paused = false;
        heardAtMs = performance.now();
        wire.stream.resume();
      },
    };
  }

  return {
    async query<Row extends object>(text: string) {
      const { rows } = await Promise.race([client.query<Row>(text), failed.promise]);
      return rows;
    },
    stream,
    async close() {
      clearInterval(timer);
      const { stream: socket } = wire;
      if (!socket.destroyed) {
        // After the last status is written, and without waiting for the server, who may be held back by us.
        socket.destroySoon();
        const limit = setTimeout(() => socket.destroy(), closeLimitMs);
        await new Promise((resolve) => socket.once("close", resolve));
        clearTimeout(limit);
      }
      await client.end();
    },
  };
}
