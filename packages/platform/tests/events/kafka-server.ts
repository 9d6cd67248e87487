import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  findJava,
  freePort,
  type JavaParts,
  type KafkaBroker,
  resolveJavaParts,
  startKafkaBroker,
} from "@chirrup/servers";
import { createAuthority } from "@chirrup/testkit";

// Where the launcher keeps them too.
const cache = fileURLToPath(new URL("../../../../.chirrup/cache/java", import.meta.url));

/** As long as a test run waits for Kafka to be fetched. */
const fetchWithinMs = 90_000;

/** What a broker runs on. */
export interface KafkaParts {
  readonly java: string;
  readonly parts: JavaParts;
}

/** Java and Kafka, which the first call on a machine fetches; or why they cannot be had here. */
export async function findKafka(): Promise<KafkaParts | string> {
  const late = AbortSignal.timeout(fetchWithinMs);
  const tooLate = new Promise<never>((_, reject) => {
    late.addEventListener("abort", () => reject(new Error("Kafka could not be fetched within 90 s")));
  });
  try {
    const java = await findJava();
    return { java, parts: await Promise.race([resolveJavaParts(cache, () => undefined), tooLate]) };
  } catch (error) {
    return (error as Error).message.split("\n")[0] ?? "";
  }
}

/** A broker that can be killed and started again. */
export interface KafkaServer {
  readonly url: string;
  /** `host:port` of the listener that wants TLS and SCRAM, and what it takes there. */
  readonly secure: { readonly broker: string; readonly password: string; readonly caFile: string };
  /** Ends the broker without a word to anybody. */
  kill(): Promise<void>;
  /** Starts it again on its data. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts one broker on 127.0.0.1, its data in `folder`. */
export async function startKafka(found: KafkaParts, folder: string): Promise<KafkaServer> {
  const node = { id: 1, port: await freePort(), controllerPort: await freePort() };
  const securePort = await freePort();
  const [password, certificates] = ["a+password", join(folder, "certificates")];
  createAuthority(join(folder, "authority")).issueTo(certificates);
  const [key, certificate] = ["tls.key", "tls.crt"].map((name) =>
    readFileSync(join(certificates, name), "utf8"),
  );
  const keyStore = join(certificates, "broker.pem");
  writeFileSync(keyStore, `${key}${certificate}`);
  const options = {
    ...found,
    scramUsers: { chirrup: password },
    node,
    nodes: [node],
    clusterId: Buffer.from("chirrup-test-log").toString("base64url"),
    dataDir: join(folder, "kafka"),
    logFile: join(folder, "kafka.log"),
    // Of one partition, so that the topics of groups are there sooner.
    settings: {
      "offsets.topic.num.partitions": "1",
      listeners: `BROKER://127.0.0.1:${node.port},SECURE://127.0.0.1:${securePort},CONTROLLER://127.0.0.1:${node.controllerPort}`,
      "advertised.listeners": `BROKER://127.0.0.1:${node.port},SECURE://localhost:${securePort}`,
      "listener.security.protocol.map": "BROKER:PLAINTEXT,SECURE:SASL_SSL,CONTROLLER:PLAINTEXT",
      "ssl.keystore.type": "PEM",
      "ssl.keystore.location": keyStore,
      "sasl.enabled.mechanisms": "SCRAM-SHA-512",
      "listener.name.secure.scram-sha-512.sasl.jaas.config":
        "org.apache.kafka.common.security.scram.ScramLoginModule required;",
    },
  };
  let broker: KafkaBroker = await startKafkaBroker(options);
  return {
    url: `kafka://127.0.0.1:${node.port}`,
    secure: { broker: `localhost:${securePort}`, password, caFile: join(certificates, "ca.crt") },
    async kill() {
      process.kill(broker.pid, "SIGKILL");
      await broker.exited;
    },
    async start() {
      broker = await startKafkaBroker(options);
    },
    async stop() {
      await broker.stop();
    },
  };
}
