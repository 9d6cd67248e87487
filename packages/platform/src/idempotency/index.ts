export { idempotent } from "./idempotent.ts";
export type { IdempotentCall } from "./idempotent.ts";
export { maintainIdempotencyKeys } from "./maintain-idempotency-keys.ts";
export { oncePerKey } from "./once-per-key.ts";
