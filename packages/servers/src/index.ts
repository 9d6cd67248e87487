export { findRedisServer, startRedis, type RedisOptions, type RedisServer } from "./redis.ts";
export {
  formRedisCluster,
  startRedisCluster,
  startRedisClusterNode,
  type ClusterNode,
  type RedisCluster,
  type RedisClusterNodeOptions,
} from "./redis-cluster.ts";
export { redisCommand, type RedisAddress } from "./redis-command.ts";
export { freePort, portIsFree } from "./ports.ts";
export { postgresBinDir } from "./postgres-binaries.ts";
export {
  initPostgres,
  startPostgres,
  superuserUrl,
  type PostgresOptions,
  type PostgresServer,
} from "./postgres.ts";
export { startPostgresReplica, type PostgresReplicaOptions } from "./postgres-replica.ts";
export { isAlive, startProcess, type ExitInfo, type ProcessOptions, type RunningProcess } from "./process.ts";
export { runsAs, type Identity } from "./identity.ts";
export { resolveJavaParts, type JavaParts } from "./java/artifacts.ts";
export {
  connectSecretsFile,
  startKafkaConnect,
  type KafkaConnect,
  type KafkaConnectOptions,
} from "./java/connect.ts";
export {
  connectorState,
  forgetOffsets,
  putConnector,
  restartFailed,
  resumeConnector,
  stopConnector,
  type ConnectorConfig,
  type ConnectorState,
} from "./java/connectors.ts";
export { findJava } from "./java/java.ts";
export { startKafkaBroker, type KafkaBroker, type KafkaBrokerOptions, type KafkaNode } from "./java/kafka.ts";
