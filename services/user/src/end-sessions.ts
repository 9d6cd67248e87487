// Ends the live sessions of one user, or of everybody, in DATABASE_URL, prints how many and exits:
//   node dist/end-sessions.js <user id | all>
// Gateways refuse their access tokens within a second.
import { databaseTaskSettings, openPostgres, type Postgres, runTask } from "@chirrup/platform";
import { z } from "zod";
import { forgetAt } from "./domain/revocation.ts";
import { insertSecurityEvent } from "./store/security-event.ts";
import { endSessions, usersWithSessions } from "./store/session.ts";

/** EX_USAGE of sysexits.h. */
const usageExitCode = 64;
/** The longest that ACCESS_TOKEN_TTL_S may be. */
const longestTokenS = 3_600;

const [who = ""] = process.argv.slice(2);
if (!/^(?:all|[1-9]\d{0,18})$/.test(who)) {
  process.stderr.write("usage: end-sessions <user id | all>\n");
  process.exitCode = usageExitCode;
} else {
  await runTask({
    name: "user-end-sessions",
    schema: z.object(databaseTaskSettings("user")),
    async run({ config, log }) {
      const postgres = openPostgres({
        url: config.DATABASE_URL,
        applicationName: "chirrup-end-sessions",
        log,
      });
      try {
        let ended = 0;
        for (const userId of who === "all" ? await usersWithSessions(postgres) : [BigInt(who)]) {
          ended += await endAllOf(postgres, userId);
        }
        process.stdout.write(`${ended}\n`);
      } finally {
        await postgres.close();
      }
    },
  });
}

/** In one transaction for each user: nobody's sign-in waits for everybody's end. */
async function endAllOf(postgres: Postgres, userId: bigint): Promise<number> {
  const now = new Date();
  const end = { reason: "ended_by_operator", now, forgetAt: forgetAt(now, longestTokenS) } as const;
  return postgres.transaction(async (tx) => {
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
