import type { HeaderBlock } from "../hpack/decoder.ts";
import { GrpcError } from "../error.ts";
import type { Metadata } from "../metadata.ts";
import { Status } from "../status.ts";
import { decodeMetadata } from "../wire/fields.ts";
import { ClientCall, type CallSetup, type Router } from "./client-call.ts";
import type { ClientConnection } from "./client-connection.ts";

/** An answer whose metadata is made when it is asked for. */
export class UnaryAnswer {
  readonly message: Uint8Array;
  readonly #headersBlock: HeaderBlock | undefined;
  readonly #trailersBlock: HeaderBlock | undefined;
  #headers: Metadata | undefined;
  #trailers: Metadata | undefined;

  constructor(message: Uint8Array, headers: HeaderBlock | undefined, trailers: HeaderBlock | undefined) {
    this.message = message;
    this.#headersBlock = headers;
    this.#trailersBlock = trailers;
  }

  get headers(): Metadata {
    this.#headers ??= decodeMetadata(this.#headersBlock?.fields ?? []);
    return this.#headers;
  }

  get trailers(): Metadata {
    this.#trailers ??= decodeMetadata(this.#trailersBlock?.fields ?? []);
    return this.#trailers;
  }
}

/** One request, one answer. */
export class UnaryCall extends ClientCall {
  readonly #request: Uint8Array;
  readonly #resolve: (answer: UnaryAnswer) => void;
  readonly #reject: (error: GrpcError) => void;
  #answer: Buffer | undefined;

  constructor(
    router: Router,
    setup: CallSetup,
    request: Uint8Array,
    resolve: (answer: UnaryAnswer) => void,
    reject: (error: GrpcError) => void,
  ) {
    super(router, setup);
    this.#request = request;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  onOpened(connection: ClientConnection): void {
    connection.sendMessage(this, this.#request, true);
  }

  onMessage(message: Buffer, wireLength: number): void {
    if (this.#answer !== undefined) {
      return this.cancel(new GrpcError(Status.INTERNAL, "the server sent two answers to a unary call"));
    }
    this.#answer = message;
    this.connection?.consumed(this, wireLength);
  }

  onWritable(): void {}

  protected get rewinds(): boolean {
    return true;
  }

  protected onFinished(error: GrpcError | undefined): void {
    if (error !== undefined) this.#reject(error);
    else if (this.#answer === undefined) {
      this.#reject(new GrpcError(Status.INTERNAL, "the server sent no answer"));
    } else this.#resolve(new UnaryAnswer(this.#answer, this.headersBlock, this.trailersBlock));
  }
}
