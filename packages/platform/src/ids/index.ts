export { EPOCH_MS, firstIdAt, idTimeMs, timestampOf } from "./id-layout.ts";
export { leaseIds } from "./lease-ids.ts";
export type { Ids } from "./lease-ids.ts";
