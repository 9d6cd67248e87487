// Ends the live sessions of one user, or of everybody, in DATABASE_URL, prints how many and exits:
//   node dist/end-sessions.js <user id | all>
// Gateways refuse their access tokens within a second.
import { ConfigError, createLogger, openPostgres } from "@chirrup/platform";
import { readMigrationConfig } from "./config.ts";
import { forgetAt } from "./domain/revocation.ts";
import { insertSecurityEvent } from "./store/security-event.ts";
import { endSessions, usersWithSessions } from "./store/session.ts";

/** EX_USAGE and EX_CONFIG of sysexits.h. */
const usageExitCode = 64;
const configExitCode = 78;
/** The longest that ACCESS_TOKEN_TTL_S may be. */
const longestTokenS = 3_600;

const [who = ""] = process.argv.slice(2);
if (!/^(?:all|[1-9]\d{0,18})$/.test(who)) {
  process.stderr.write("usage: end-sessions <user id | all>\n");
  process.exitCode = usageExitCode;
} else await main(who);

async function main(who: string): Promise<void> {
  try {
    const { DATABASE_URL: url, LOG_LEVEL: level, LOG_FORMAT: format } = readMigrationConfig();
    const log = createLogger({ service: "user-end-sessions", level, format });
    const postgres = openPostgres({ url, applicationName: "chirrup-end-sessions", log });
    try {
      let ended = 0;
      for (const userId of who === "all" ? await usersWithSessions(postgres) : [BigInt(who)]) {
        const now = new Date();
        const end = { reason: "ended_by_operator", now, forgetAt: forgetAt(now, longestTokenS) } as const;
        // One transaction for each: nobody's sign-in waits for everybody's end.
        ended += await postgres.transaction(async (tx) => {
          const note = () =>
            insertSecurityEvent(tx, {
              at: now,
              kind: "sessions_ended_by_operator",
              userId,
              address: "",
              userAgent: "",
            });
          return (await endSessions(tx, { userId }, { ...end, note })).length;
        });
      }
      process.stdout.write(`${ended}\n`);
    } finally {
      await postgres.close();
    }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = configExitCode;
  }
}
