/** The folder of the service's own tables. */
export const userMigrations: URL = new URL("../migrations/", import.meta.url);
