import { join } from "node:path";
import {
  connectSecretsFile,
  findJava,
  freePort,
  type KafkaNode,
  resolveJavaParts,
  startKafkaBroker,
  startKafkaConnect,
} from "@chirrup/servers";
import { databases, type DatabaseUrls } from "../databases.ts";
import { repositoryRoot } from "../paths.ts";
import { keepConnectors, startConnectors } from "./connectors.ts";
import type { Site } from "./ground.ts";

type JavaInputs = { java: string; parts: Awaited<ReturnType<typeof resolveJavaParts>> };

/** Java and what runs on it; rejects with the way to get what is missing. */
export async function findJavaInputs(site: Site): Promise<JavaInputs> {
  const java = await findJava();
  const cacheDir = join(repositoryRoot, ".chirrup", "cache", "java");
  const parts = await resolveJavaParts(cacheDir, () =>
    site.step("fetching Kafka and Debezium (60 MB), once …"),
  );
  return { java, parts };
}

/** Starts the brokers; gives their addresses. */
export async function startBrokers(site: Site, jvm: JavaInputs): Promise<readonly string[]> {
  const { home, options, secrets } = site;
  const nodes: KafkaNode[] = [];
  for (let id = 1; id <= options.brokers; id += 1) {
    nodes.push({ id, port: await freePort(), controllerPort: await freePort() });
  }
  // The voters of a KRaft cluster are fixed when it is formatted.
  const dataDir = home.dataDir(`kafka-of-${options.brokers}`);
  const brokers = nodes.map((node) => {
    const name = options.brokers === 1 ? "kafka" : `kafka-${node.id}`;
    const logFile = site.logFile(name);
    return site.add(
      {
        name,
        url: `kafka://127.0.0.1:${node.port}`,
        logFile,
        start: (signal) =>
          startKafkaBroker({
            ...jvm,
            node,
            nodes,
            clusterId: secrets.kafkaClusterId,
            dataDir: join(dataDir, String(node.id)),
            logFile,
            signal,
          }),
      },
      "stores",
    );
  });
  await Promise.all(brokers.map((part) => part.start()));
  return nodes.map(({ port }) => `127.0.0.1:${port}`);
}

export interface ConnectWorker {
  readonly url: string;
  readonly passwordReference: string;
}

export async function startConnectWorker(
  site: Site,
  jvm: JavaInputs,
  brokers: readonly string[],
): Promise<ConnectWorker> {
  const name = "connect";
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const [dataDir, logFile] = [site.home.dataDir(name), site.logFile(name)];
  const secrets = { password: site.secrets.postgresServices };
  const part = site.add(
    {
      name,
      url,
      readyUrl: `${url}/health`,
      logFile,
      start: (signal) => startKafkaConnect({ ...jvm, brokers, port, dataDir, logFile, secrets, signal }),
    },
    "carrier",
  );
  await part.start();
  return { url, passwordReference: `\${file:${connectSecretsFile(dataDir)}:password}` };
}

/** Lets Debezium read every outbox from now on. */
export async function streamOutboxes(site: Site, worker: ConnectWorker, urls: DatabaseUrls): Promise<void> {
  await startConnectors(site.signal, worker, urls.reader);
  keepConnectors(site, worker, urls);
  site.step(`Debezium streams the outboxes of ${databases.join(", ")}`);
}
