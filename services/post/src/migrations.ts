/** This service's tables: files for `migrate`, beside the platform's. */
export const postMigrations: URL = new URL("../migrations/", import.meta.url);
