import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import type { Home } from "./paths.ts";

/** What is made once for a home and kept beside its data, readable by its owner alone. */
export interface Secrets {
  readonly postgresSuperuser: string;
  readonly postgresServices: string;
  readonly redis: string;
  readonly cursor: string;
  readonly consistency: string;
  readonly signingKey: string;
  readonly refresh: string;
  readonly demoPassword: string;
  /** 16 bytes in base64url that do not begin with a dash, as Kafka's tools want them. */
  readonly kafkaClusterId: string;
}

const random = (): string => randomBytes(32).toString("hex");

function clusterId(): string {
  const bytes = randomBytes(16);
  bytes.writeUInt8(bytes.readUInt8(0) & 0x7f, 0);
  return bytes.toString("base64url");
}

/** The secrets of this home; made at the first call, and completed when a release needs a new one. */
export function openSecrets(home: Home): Secrets {
  const kept = existsSync(home.secretsFile)
    ? (JSON.parse(readFileSync(home.secretsFile, "utf8")) as Partial<Secrets>)
    : {};
  const secrets: Secrets = {
    postgresSuperuser: random(),
    postgresServices: random(),
    redis: random(),
    cursor: random(),
    consistency: random(),
    signingKey: random(),
    refresh: random(),
    demoPassword: `demo-${randomBytes(6).toString("hex")}`,
    kafkaClusterId: clusterId(),
    ...kept,
  };
  writeFileSync(home.secretsFile, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600 });
  return secrets;
}
