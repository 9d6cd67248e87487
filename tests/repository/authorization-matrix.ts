import { readFileSync } from "node:fs";

/** What one caller's call answers: an HTTP status; undefined where the caller cannot name another's object. */
type Expected = number | undefined;

export interface MatrixRow {
  /** "chirrup.post.v1.PostService/GetPost" */
  readonly rpc: string;
  /** "GET /api/v1/posts/{post_id}", or "internal". */
  readonly route: string;
  readonly object: string;
  readonly stranger: Expected;
  readonly other: Expected;
  readonly owner: Expected;
}

const file = new URL("../../docs/security/authorization-matrix.md", import.meta.url);

/** The table of docs/security/authorization-matrix.md. */
export function readMatrix(): MatrixRow[] {
  return readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line.startsWith("| `chirrup."))
    .map((line) => {
      const [rpc = "", route = "", object = "", stranger, other, owner] = line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll("`", ""));
      return { rpc, route, object, stranger: status(stranger), other: status(other), owner: status(owner) };
    });
}

function status(cell: string | undefined): Expected {
  if (cell === "–") return undefined;
  const value = Number(cell);
  if (!Number.isInteger(value) || value < 100) throw new Error(`"${cell ?? ""}" is no status`);
  return value;
}
