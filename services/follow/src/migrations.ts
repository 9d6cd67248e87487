/** This service's tables: files for `migrate`, beside the platform's. */
export const followMigrations: URL = new URL("../migrations/", import.meta.url);
