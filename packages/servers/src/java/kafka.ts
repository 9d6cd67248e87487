import { execFile } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { type ExitInfo, startProcess, untilAnswers } from "../process.ts";
import { type JvmOptions, jvmCommand, properties } from "./jvm.ts";

const execute = promisify(execFile);
const loopback = "127.0.0.1";
const startsWithinMs = 90_000;

/** A broker's place in its cluster. */
export interface KafkaNode {
  /** From 1. */
  readonly id: number;
  readonly port: number;
  readonly controllerPort: number;
}

export interface KafkaBrokerOptions extends Omit<JvmOptions, "heapMb"> {
  readonly node: KafkaNode;
  /** All nodes, this one among them: each is broker and voter. */
  readonly nodes: readonly KafkaNode[];
  /** 16 bytes in base64url; the same for all nodes, for ever. */
  readonly clusterId: string;
  readonly dataDir: string;
  readonly logFile: string;
  /** Default 256. */
  readonly heapMb?: number;
  /** Who may sign in by SCRAM-SHA-512, with their passwords; only at the first start of a data directory. */
  readonly scramUsers?: Readonly<Record<string, string>>;
  /** Lines of server.properties. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Ends the start: the process is stopped and the promise rejects. */
  readonly signal?: AbortSignal | undefined;
}

export interface KafkaBroker {
  readonly port: number;
  readonly pid: number;
  readonly exited: Promise<ExitInfo>;
  stop(): Promise<ExitInfo>;
}

function serverProperties({ node, nodes, dataDir, settings }: KafkaBrokerOptions): string {
  const copies = Math.min(3, nodes.length);
  return properties({
    "process.roles": "broker,controller",
    "node.id": node.id,
    "controller.quorum.voters": nodes
      .map(({ id, controllerPort }) => `${id}@${loopback}:${controllerPort}`)
      .join(","),
    listeners: `BROKER://${loopback}:${node.port},CONTROLLER://${loopback}:${node.controllerPort}`,
    "listener.security.protocol.map": "BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "inter.broker.listener.name": "BROKER",
    "controller.listener.names": "CONTROLLER",
    "log.dirs": join(dataDir, "log"),
    // Partitions of a topic are part of the layout: see partitionCount of @chirrup/platform.
    "num.partitions": 8,
    "default.replication.factor": copies,
    "min.insync.replicas": Math.max(1, copies - 1),
    "auto.create.topics.enable": "false",
    "offsets.topic.num.partitions": 4,
    "offsets.topic.replication.factor": copies,
    "transaction.state.log.num.partitions": 2,
    "transaction.state.log.replication.factor": copies,
    "transaction.state.log.min.isr": 1,
    "share.coordinator.state.topic.num.partitions": 1,
    "share.coordinator.state.topic.replication.factor": copies,
    "share.coordinator.state.topic.min.isr": 1,
    // As long as the outboxes keep their rows.
    "log.retention.hours": 48,
    "log.segment.bytes": 64 * 1024 * 1024,
    "log.index.size.max.bytes": 1024 * 1024,
    "log.cleaner.dedupe.buffer.size": 4 * 1024 * 1024,
    "log.cleaner.io.buffer.size": 128 * 1024,
    "num.network.threads": 2,
    "num.io.threads": 4,
    "background.threads": 2,
    // A consumer that starts alone need not wait for company, and one that died is noticed in seconds.
    "group.initial.rebalance.delay.ms": 0,
    "group.min.session.timeout.ms": 1_000,
    "group.consumer.min.session.timeout.ms": 1_000,
    "group.consumer.min.heartbeat.interval.ms": 200,
    "broker.session.timeout.ms": 3_000,
    "broker.heartbeat.interval.ms": 500,
    "controlled.shutdown.enable": nodes.length > 1 ? "true" : "false",
    ...settings,
  });
}

/** Whether the broker answers an ApiVersions request (version 0), the first that every client sends. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: loopback, port });
    const done = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(1_000, () => done(false));
    socket.once("error", () => done(false));
    socket.once("close", () => done(false));
    socket.once("data", () => done(true));
    socket.once("connect", () => {
      const request = Buffer.alloc(14);
      request.writeInt32BE(10, 0);
      request.writeInt16BE(18, 4);
      request.writeInt16BE(0, 6);
      request.writeInt32BE(1, 8);
      request.writeInt16BE(-1, 12);
      socket.write(request);
    });
  });
}

/** Writes the identity of an empty log directory, which Kafka does not do by itself. */
async function format(jvm: JvmOptions, options: KafkaBrokerOptions, configFile: string): Promise<void> {
  if (existsSync(join(options.dataDir, "log", "meta.properties"))) return;
  const args = ["format", "--cluster-id", options.clusterId, "--config", configFile, "--ignore-formatted"];
  for (const [name, password] of Object.entries(options.scramUsers ?? {}))
    args.push("--add-scram", `SCRAM-SHA-512=[name=${name},password=${password}]`);
  const { command, args: all, env } = jvmCommand(jvm, "kafka.tools.StorageTool", args);
  try {
    const { stdout } = await execute(command, all, {
      env,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    appendFileSync(options.logFile, stdout);
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    throw new Error(`Kafka's storage could not be formatted: ${`${stdout}${stderr}`.trim()}`, {
      cause: error,
    });
  }
}

/**
 * Starts a Kafka node (KRaft, broker and controller in one) on 127.0.0.1 and waits until it takes requests,
 * for which most of its cluster's nodes must run. No encryption and no sign-in: for one machine alone.
 */
export async function startKafkaBroker(options: KafkaBrokerOptions): Promise<KafkaBroker> {
  const { node, dataDir, logFile } = options;
  const jvm: JvmOptions = { java: options.java, parts: options.parts, heapMb: options.heapMb ?? 256 };
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const configFile = join(dataDir, "server.properties");
  writeFileSync(configFile, serverProperties(options), { mode: 0o600 });
  await format(jvm, options, configFile);
  const running = await startProcess({ ...jvmCommand(jvm, "kafka.Kafka", [configFile]), logFile });
  await untilAnswers({
    name: "Kafka",
    running,
    answers: () => answers(node.port),
    withinMs: startsWithinMs,
    everyMs: 50,
    signal: options.signal,
  });
  return { port: node.port, pid: running.pid, exited: running.exited, stop: running.stop };
}
