// Adds a signing key to DATABASE_URL, prints its kid and exits. Processes sign with it once it has been published for
// twice SIGNING_KEY_RELOAD_MS; they remove the key before it when its last token has expired.
import { openPostgres, runTask } from "@chirrup/platform";
import { keyRotationSchema } from "./config.ts";
import { sealingKey } from "./domain/sealing.ts";
import { generateSigningKey, openSigningKey } from "./domain/signing-key.ts";
import { changeSigningKeys } from "./store/signing-key.ts";

await runTask({
  name: "user-rotate-keys",
  schema: keyRotationSchema,
  async run({ config, log }) {
    const postgres = openPostgres({ url: config.DATABASE_URL, applicationName: "chirrup-rotate-keys", log });
    try {
      const now = new Date();
      const sealWith = sealingKey(config.SIGNING_KEY_SECRET, "signing keys");
      const added = await generateSigningKey(sealWith, now);
      await changeSigningKeys(
        postgres,
        async (stored) => {
          // Under another secret no process could open the new key, and none would start again.
          for (const key of stored) openSigningKey(key, sealWith);
          return { added, removedKids: [] };
        },
        now,
      );
      process.stdout.write(`${added.kid}\n`);
    } finally {
      await postgres.close();
    }
  },
});
