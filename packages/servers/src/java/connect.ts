import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ExitInfo, startProcess, untilAnswers } from "../process.ts";
import { type JvmOptions, jvmCommand, properties } from "./jvm.ts";

const startsWithinMs = 90_000;
/** A connector may hang in its stop. What it has sent and not yet confirmed is then sent twice. */
const stopsWithinMs = 8_000;

export interface KafkaConnectOptions extends Omit<JvmOptions, "heapMb"> {
  /** `host:port` of Kafka's nodes. */
  readonly brokers: readonly string[];
  readonly port: number;
  readonly dataDir: string;
  readonly logFile: string;
  /** Default 320. */
  readonly heapMb?: number;
  /**
   * Values that a connector's configuration takes by `${file:<secretsFile>:<name>}`: they stay out of Kafka
   * and out of what the REST API tells.
   */
  readonly secrets?: Readonly<Record<string, string>>;
  /** Ends the start: the process is stopped and the promise rejects. */
  readonly signal?: AbortSignal | undefined;
}

export interface KafkaConnect {
  readonly port: number;
  readonly pid: number;
  readonly url: string;
  readonly exited: Promise<ExitInfo>;
  stop(): Promise<ExitInfo>;
}

/** Where a worker keeps its secrets. */
export const connectSecretsFile = (dataDir: string): string => join(dataDir, "secrets.properties");

function workerProperties({ brokers, port, dataDir, parts }: KafkaConnectOptions): string {
  const bytes = "org.apache.kafka.connect.converters.ByteArrayConverter";
  return properties({
    "bootstrap.servers": brokers.join(","),
    "group.id": "chirrup-connect",
    "key.converter": bytes,
    "value.converter": bytes,
    listeners: `http://127.0.0.1:${port}`,
    "rest.advertised.host.name": "127.0.0.1",
    "rest.advertised.port": port,
    "plugin.path": parts.pluginDir,
    // Plugins name themselves in their manifests: nothing has to be scanned.
    "plugin.discovery": "service_load",
    "config.storage.topic": "connect-configs",
    "config.storage.replication.factor": -1,
    "offset.storage.topic": "connect-offsets",
    "offset.storage.partitions": 1,
    "offset.storage.replication.factor": -1,
    "status.storage.topic": "connect-status",
    "status.storage.partitions": 1,
    "status.storage.replication.factor": -1,
    // A slot is confirmed when the offsets are: what a killed worker has sent since then comes twice.
    "offset.flush.interval.ms": 2_000,
    // One worker: after its death nobody is waited for.
    "scheduled.rebalance.max.delay.ms": 0,
    "session.timeout.ms": 3_000,
    "heartbeat.interval.ms": 500,
    "rebalance.timeout.ms": 10_000,
    "task.shutdown.graceful.timeout.ms": 3_000,
    "config.providers": "file",
    "config.providers.file.class": "org.apache.kafka.common.config.provider.FileConfigProvider",
    "config.providers.file.param.allowed.paths": dataDir,
  });
}

async function answers(url: string): Promise<boolean> {
  try {
    // Workers before Kafka 3.9 know no /health; /connectors answers when the worker has joined its group.
    for (const path of ["/health", "/connectors"]) {
      const response = await fetch(url + path, { signal: AbortSignal.timeout(2_000) });
      await response.body?.cancel();
      if (response.status !== 404) return response.ok;
    }
    return false;
  } catch {
    return false;
  }
}

/**
 * Starts a distributed Connect worker on 127.0.0.1 and waits until it has joined its group. Its REST API has
 * no sign-in.
 */
export async function startKafkaConnect(options: KafkaConnectOptions): Promise<KafkaConnect> {
  const { port, dataDir, logFile } = options;
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  writeFileSync(connectSecretsFile(dataDir), properties(options.secrets ?? {}), { mode: 0o600 });
  const configFile = join(dataDir, "worker.properties");
  writeFileSync(configFile, workerProperties(options), { mode: 0o600 });
  const jvm: JvmOptions = { java: options.java, parts: options.parts, heapMb: options.heapMb ?? 320 };
  const running = await startProcess({
    ...jvmCommand(jvm, "org.apache.kafka.connect.cli.ConnectDistributed", [configFile]),
    logFile,
    killAfterMs: stopsWithinMs,
  });
  const url = `http://127.0.0.1:${port}`;
  await untilAnswers({
    name: "Kafka Connect",
    running,
    answers: () => answers(url),
    withinMs: startsWithinMs,
    everyMs: 100,
    signal: options.signal,
  });
  return { port, pid: running.pid, url, exited: running.exited, stop: running.stop };
}
