import { readFileSync } from "node:fs";

const file = new URL("../config/common-passwords.txt", import.meta.url);

/** The passwords that attackers try first, in lower case. About 2 MiB; config/README.md says where they are from. */
export function readCommonPasswords(): ReadonlySet<string> {
  return new Set(readFileSync(file, "utf8").trimEnd().split("\n"));
}
