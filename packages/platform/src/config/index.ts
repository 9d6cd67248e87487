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
  replicaWithSecret,
  type DatabaseSettings,
} from "./database-settings.ts";
export { setting } from "./setting.ts";
export { settingsTable } from "./settings-table.ts";
