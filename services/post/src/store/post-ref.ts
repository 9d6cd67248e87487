import type { Queryable } from "@chirrup/platform";

/** A post without its content. */
export interface PostRef {
  readonly id: bigint;
  readonly authorId: bigint;
}

/** How many rows of everyone's posts are looked through for each author before the authors are asked. */
const windowPerAuthor = 2;

/**
 * The newest posts below `before` of some authors (each once), newest first; fewer than `limit` only when
 * there are no more. Index only, but for the window's rows; at most two round trips.
 *
 * Why two ways: a probe of the index for each author takes 7 µs, 35 ms for 5,000 of them, however few posts
 * are wanted. A row of everyone's newest posts takes a twentieth of that, and where the authors write much
 * of what is written, a few hundred rows hold the whole answer (2 ms). So a window of bounded size, a tenth
 * of the probes' cost, is looked through first. It settles all that is in it; what is missing is older, and
 * probed for.
 */
export async function findNewestOf(
  db: Queryable,
  authorIds: readonly bigint[],
  before: bigint,
  limit: number,
): Promise<PostRef[]> {
  const windowRows = authorIds.length * windowPerAuthor;
  const recent = await scanWindow(db, authorIds, before, limit, windowRows);
  const newest = recent.filter((row) => row.wanted).map(({ id, authorId }) => ({ id, authorId }));
  const end = recent.at(-1);
  if (newest.length === limit || end?.place !== BigInt(windowRows)) return newest;
  return [...newest, ...(await probeAuthors(db, authorIds, end.id, limit - newest.length))];
}

interface WindowRow extends PostRef {
  /** 1 for the newest post of the window. */
  readonly place: bigint;
  /** False only for the row that tells where the window ends, when it is not of the authors. */
  readonly wanted: boolean;
}

/**
 * The authors' posts among the newest `windowRows` of everyone below an id, newest first, and the window's
 * last row; it stops at `limit`. `IN (SELECT …)` twice, because under an OR it becomes a hash table that is
 * built once; `= ANY ($1)` under a generic plan compares with each author in turn.
 */
function scanWindow(
  db: Queryable,
  authorIds: readonly bigint[],
  before: bigint,
  limit: number,
  windowRows: number,
): Promise<WindowRow[]> {
  return db.query<WindowRow>({
    name: "scan-window",
    text: `
    select id, author_id as "authorId", place, author_id in (select unnest($1::bigint[])) as wanted
    from (
      select id, author_id, row_number() over (order by id desc) as place
      from posts where id < $2 order by id desc limit $4
    ) as recent
    where place = $4 or author_id in (select unnest($1::bigint[]))
    order by id desc limit $3`,
    values: [authorIds, before, limit, windowRows],
  });
}

/**
 * The authors' newest posts below an id, newest first. Takes each author's newest; the `limit`th of these is
 * a floor, for that many posts lie at or above it; then reads on only for authors whose newest is not below
 * the floor, at most `limit` of them, and only down to the floor. So it reads one row for each author and
 * about `limit` more; limit² when the same few wrote everything.
 */
function probeAuthors(
  db: Queryable,
  authorIds: readonly bigint[],
  before: bigint,
  limit: number,
): Promise<PostRef[]> {
  return db.query<PostRef>({
    name: "probe-authors",
    text: `
    with newest as materialized (
      select author.id as author_id, post.id
      from unnest($1::bigint[]) as author (id)
      cross join lateral (
        select id from posts where author_id = author.id and id < $2 order by id desc limit 1
      ) as post
    ), floor as materialized (
      select case when count(*) < $3 then 0 else min(id) end as id
      from (select id from newest order by id desc limit $3) as top
    )
    select post.id, newest.author_id as "authorId"
    from newest
    cross join lateral (
      select id from posts
      where author_id = newest.author_id and id <= newest.id and id >= (select id from floor)
      order by id desc limit $3
    ) as post
    where newest.id >= (select id from floor)
    order by post.id desc limit $3`,
    values: [authorIds, before, limit],
  });
}
