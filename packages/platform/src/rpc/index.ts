export { requireCaller, type Call, type Caller } from "./call.ts";
export type { Handler, Handlers } from "./handlers.ts";
export { metadataKeys } from "./metadata-keys.ts";
export { openPeer, peerCallOptions, type PeerCallOptions } from "./peer.ts";
export { peerTls, type PeerTls } from "./peer-tls.ts";
export { serveRpc, type ServeRpcOptions } from "./serve-rpc.ts";
