import { type Cursors, pageSize } from "@chirrup/platform";

import { endOfIds, pageOf } from "./domain/page.ts";

/**
 * Reads the page that a list's request asks for: at most `limit` rows below `before`, newest first.
 * INVALID_ARGUMENT for a cursor of another scope and for a negative page size.
 */
export async function readPage<Row extends { readonly id: bigint }>(
  cursors: Cursors,
  scope: string,
  request: { readonly cursor: string; readonly pageSize: number },
  read: (before: bigint, limit: number) => Promise<Row[]>,
): Promise<{ rows: Row[]; nextCursor: string }> {
  const size = pageSize(request.pageSize);
  const before = cursors.decode(scope, request.cursor) ?? endOfIds;
  const { rows, last } = pageOf(await read(before, size + 1), size);
  return { rows, nextCursor: last === undefined ? "" : cursors.encode(scope, last) };
}
