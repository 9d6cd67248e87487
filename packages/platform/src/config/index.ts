export { ConfigError, parseConfig, type ConfigFault } from "./parse-config.ts";
export {
  commonSettings,
  peerTlsSetting,
  processSettings,
  type CommonSettings,
  type ProcessSettings,
} from "./common-settings.ts";
export {
  databaseOptions,
  databaseSettings,
  databaseTaskSettings,
  replicaWithSecret,
  type DatabaseSettings,
  type DatabaseTaskSettings,
} from "./database-settings.ts";
export { setting } from "./setting.ts";
export { settingsTable } from "./settings-table.ts";
