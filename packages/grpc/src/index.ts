export { cancellationOf, Canceller, type Cancellation } from "./cancellation.ts";
export {
  openChannel,
  type CallOptions,
  type Channel,
  type ChannelOptions,
  type UnaryResponse,
} from "./channel.ts";
export type { CallCredentials } from "./client/call-credentials.ts";
export type { ClientInterceptor } from "./client/interceptor.ts";
export { createClient, type Client } from "./client.ts";
export { GrpcError, type ErrorDetail, type GrpcErrorOptions } from "./error.ts";
export { createHealth, type Health } from "./health.ts";
export { Metadata } from "./metadata.ts";
export { keepEncoded } from "./protobuf/encode.ts";
export { serve, type ServeOptions, type Server } from "./server.ts";
export {
  serviceOf,
  type BidiStreamImpl,
  type ClientStreamImpl,
  type Interceptor,
  type MethodDefinition,
  type ServerCall,
  type ServerStreamImpl,
  type ServiceDefinition,
  type ServiceImpl,
  type UnaryImpl,
} from "./service.ts";
export type { TlsClientOptions, TlsServerOptions } from "./tls.ts";
export { Status, statusName } from "./status.ts";
