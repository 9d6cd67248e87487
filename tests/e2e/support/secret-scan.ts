import { appendFileSync, existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { openPostgres } from "@chirrup/platform";
import { testLog } from "@chirrup/testkit";

/** What must be found nowhere, by what it is. */
export type Secrets = ReadonlyMap<string, string>;

const fileOf = (home: string): string => `${home}.secrets`;

/** Keeps secrets for the scan at the end of the run. */
export function recordSecrets(home: string, secrets: readonly string[]): void {
  appendFileSync(fileOf(home), secrets.map((secret) => `${secret}\n`).join(""));
}

/** All that was recorded in this run. */
export function recordedSecrets(home: string): Secrets {
  const file = fileOf(home);
  const lines = existsSync(file) ? readFileSync(file, "utf8").trimEnd().split("\n") : [];
  return new Map(lines.map((secret, index) => [`secret ${index} of the run`, secret]));
}

export function forgetSecrets(home: string): void {
  rmSync(fileOf(home), { force: true });
}

const privateKey = /BEGIN (?:EC |RSA )?PRIVATE KEY|302e020100300506032b6570/;

/** Every row of every table and every log of a running platform, by place. */
export async function readEverything(home: string): Promise<ReadonlyMap<string, string>> {
  const { access } = JSON.parse(readFileSync(join(home, "state.json"), "utf8")) as {
    access: { databases: Readonly<Record<string, string>> };
  };
  const texts = new Map<string, string>();
  for (const [name, url] of Object.entries(access.databases)) {
    const postgres = openPostgres({ url, applicationName: "secret-scan", log: testLog() });
    try {
      const tables = await postgres.query<{ name: string }>({
        name: "tables",
        text: `SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) AS name FROM pg_tables
               WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
      });
      for (const [index, table] of tables.entries()) {
        const rows = await postgres.query<{ row: string }>({
          name: `scan_${index}`,
          text: `SELECT t::text AS row FROM ${table.name} t`,
        });
        texts.set(`${name} ${table.name}`, rows.map(({ row }) => row).join("\n"));
      }
    } finally {
      await postgres.close();
    }
  }
  const folder = join(home, "logs");
  for (const file of readdirSync(folder)) texts.set(file, readFileSync(join(folder, file), "utf8"));
  return texts;
}

/** Which secret is where, as it is, in hex or in base64, and where a private key is. */
export function findSecrets(texts: ReadonlyMap<string, string>, secrets: Secrets): string[] {
  const found: string[] = [];
  for (const [place, text] of texts) {
    for (const [name, secret] of secrets) {
      const bytes = Buffer.from(secret);
      const written = [secret, bytes.toString("hex"), bytes.toString("base64")];
      if (written.some((form) => text.includes(form))) found.push(`${name} in ${place}`);
    }
    if (privateKey.test(text)) found.push(`a private key in ${place}`);
  }
  return found;
}
