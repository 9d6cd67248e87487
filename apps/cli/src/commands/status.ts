import { openHome } from "../launcher/paths.ts";
import { readStatus } from "../launcher/status.ts";
import { paint } from "../terminal/print.ts";

/** `chirrup status`: exit code 0 only when every part is ready. */
export async function status(flags: { readonly json?: boolean }): Promise<void> {
  const home = openHome();
  const now = await readStatus(home);
  if (!now.ready) process.exitCode = 1;
  if (flags.json === true) {
    process.stdout.write(`${JSON.stringify(now)}\n`);
    return;
  }
  if (!("parts" in now)) {
    process.stdout.write("Nothing runs. Start it with: npm run up\n");
    return;
  }
  const head = now.ready ? paint("green", "ready") : paint("yellow", "not ready");
  process.stdout.write(`Chirrup (${now.profile}) is ${head}: ${now.gatewayUrl}\n\n`);
  for (const part of now.parts) {
    const colour = part.state === "ready" ? "green" : "yellow";
    const pid = part.pid === null ? "-" : String(part.pid);
    process.stdout.write(
      `  ${part.name.padEnd(23)} ${paint(colour, part.state.padEnd(10))} pid ${pid.padEnd(8)} ${part.url}\n`,
    );
  }
}
