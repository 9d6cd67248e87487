import type { Metadata } from "@chirrup/grpc";
import type { Context } from "../context.ts";

const none: Readonly<Record<string, string>> = {};

/** The listed metadata that a service sent before its messages, as headers. */
export function returnedMetadata(
  { metadata }: Context,
  sent: () => Metadata,
): Readonly<Record<string, string>> {
  // What nobody looks at is not decoded.
  if (metadata.response.size === 0) return none;
  const headers = sent();
  return Object.fromEntries(
    [...metadata.response].flatMap((key) => {
      const value = headers.get(key);
      return value === undefined ? [] : [[`grpc-metadata-${key}`, value]];
    }),
  );
}
