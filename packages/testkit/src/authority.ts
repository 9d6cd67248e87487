import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A certificate authority of a test's own, by OpenSSL. */
export interface Authority {
  /** Writes a certificate for "localhost", its key and this authority into a folder, as cert-manager does. */
  issueTo(folder: string): void;
}

const program = "openssl";
let issued = 0;

export function createAuthority(folder: string): Authority {
  mkdirSync(folder, { recursive: true });
  const [key, certificate] = [join(folder, "ca.key"), join(folder, "ca.crt")];
  const subject = ["-subj", `/CN=authority ${++issued}`];
  openssl("req", "-x509", ...newKey(key), "-out", certificate, "-days", "2", ...subject);
  return {
    issueTo(to) {
      mkdirSync(to, { recursive: true });
      const [leafKey, leaf] = [join(folder, "tls.key"), join(folder, "tls.crt")];
      const signing = ["-CA", certificate, "-CAkey", key, "-set_serial", String(++issued)];
      const names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
      openssl("req", "-x509", ...newKey(leafKey), "-out", leaf, "-days", "1", ...signing, ...names);
      for (const [name, from] of [
        ["tls.key", leafKey],
        ["tls.crt", leaf],
        ["ca.crt", certificate],
      ] as const)
        writeFileSync(join(to, name), readFileSync(from));
    },
  };
}

const newKey = (file: string): string[] => [
  "-newkey",
  "ec",
  "-pkeyopt",
  "ec_paramgen_curve:P-256",
  "-noenc",
  "-keyout",
  file,
];

function openssl(...args: readonly string[]): void {
  const { status, stderr } = spawnSync(program, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`openssl ${args.join(" ")}: ${stderr}`);
}
