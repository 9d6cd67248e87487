import { fromBinary } from "@bufbuild/protobuf";
import { EventSchema } from "@chirrup/proto/chirrup/events/v1/event";

/** What the bytes of a record tell. */
export interface EventDescription {
  readonly eventId: string;
  /** The case of the payload: "postCreated"; empty when there is none. */
  readonly event: string;
}

/** Undefined when the bytes are no event. */
export function describeEvent(payload: Uint8Array): EventDescription | undefined {
  try {
    const { eventId, payload: told } = fromBinary(EventSchema, payload);
    return { eventId: String(eventId), event: told.case ?? "" };
  } catch {
    return undefined;
  }
}
