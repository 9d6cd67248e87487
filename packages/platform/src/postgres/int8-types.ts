import pg from "pg";

type TextParser = (text: string) => unknown;
type NestedText = string | null | NestedText[];
type NestedBigint = bigint | null | NestedBigint[];

const int8Oid = 20;
const int8ArrayOid = 1016;

/** Its declared type knows an enum of the single types only. */
const builtIn = pg.types.getTypeParser as (oid: number, format?: "text" | "binary") => TextParser;
const parseTextArray = builtIn(int8ArrayOid) as (text: string) => NestedText[];

/**
 * Types of a pool whose int8 is a bigint, because an id does not fit a double. Only this pool's: the
 * registry of `pg` is shared by everything in the process.
 */
export const int8AsBigint: pg.CustomTypesConfig = {
  getTypeParser(oid: number, format?: "text" | "binary"): TextParser {
    if (format !== "binary" && oid === int8Oid) return BigInt;
    if (format !== "binary" && oid === int8ArrayOid) return (text) => parseTextArray(text).map(toBigint);
    return builtIn(oid, format);
  },
};

function toBigint(value: NestedText): NestedBigint {
  if (value === null) return null;
  return Array.isArray(value) ? value.map(toBigint) : BigInt(value);
}
