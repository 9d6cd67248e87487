import { status as WireStatus, type ClientReadableStream, type StatusObject } from "@grpc/grpc-js";

import { GrpcError } from "./error.ts";
import { Status } from "./status.ts";
import { errorFromWire } from "./wire.ts";

/**
 * Reads the messages of a stream, then throws when its status is not OK.
 *
 * Why not the stream's own iterator: it throws at the "error" event, and what has arrived and was not yet read would
 * be lost.
 */
export async function* readServerStream(
  wire: ClientReadableStream<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void> {
  let status: StatusObject | undefined;
  let ended = false;
  let wake = (): void => {};
  wire.on("readable", () => wake());
  wire.on("end", () => {
    ended = true;
    wake();
  });
  wire.on("status", (received: StatusObject) => {
    status = received;
    wake();
  });
  // The status says the same; without a listener the event would end the process.
  wire.on("error", () => {});
  const cancel = (): void => {
    wire.cancel();
    wake();
  };
  signal?.addEventListener("abort", cancel, { once: true });
  try {
    for (;;) {
      if (signal?.aborted === true) {
        throw new GrpcError(Status.CANCELLED, "the call was cancelled", { cause: signal.reason });
      }
      const message = wire.read() as Uint8Array | null;
      if (message !== null) {
        yield message;
      } else if (ended && status !== undefined) {
        if (status.code !== WireStatus.OK) throw errorFromWire(status);
        return;
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    signal?.removeEventListener("abort", cancel);
    wire.cancel();
  }
}
