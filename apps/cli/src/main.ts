import { Command } from "commander";

// Each command's code is loaded when it runs: `status` answers within a second because it loads little.
const program = new Command("chirrup")
  .description("Runs and looks after a Chirrup platform on this machine.")
  .showHelpAfterError()
  .configureHelp({ sortSubcommands: false });

program
  .command("up")
  .description("start the platform and keep it in the foreground until Ctrl-C")
  .option("--profile <name>", "embedded", "embedded")
  .option("--port <number>", "port of the gateway; 0 takes a free one", "8080")
  .option("--celebrity-threshold <followers>", "followers from which posts are merged on read, not pushed")
  .option("--detach", "return when it is ready")
  .option("--json", "print the status as JSON once it is ready (with --detach)")
  .action(async (flags) => (await import("./commands/up.ts")).up(flags));

program
  .command("down")
  .description("stop the platform; the data is kept")
  .action(async () => (await import("./commands/down.ts")).down());

program
  .command("status")
  .description("what runs; exit code 0 only when every part is ready")
  .option("--json", "one JSON object")
  .action(async (flags) => (await import("./commands/status.ts")).status(flags));

program
  .command("logs")
  .description("the end of a part's log")
  .argument(
    "[part]",
    "gateway, user, follow, post, feed, relay, postgres, redis, redis-events; all without it",
  )
  .option("-f, --follow", "go on with what comes")
  .option("-n, --lines <count>", "lines of each log", "50")
  .action(async (part, flags) => (await import("./commands/logs.ts")).logs(part, flags));

program
  .command("reset")
  .description("stop the platform and delete its data")
  .option("--yes", "really")
  .action(async (flags) => (await import("./commands/reset.ts")).reset(flags));

program
  .command("run", { hidden: true })
  .argument("<task>", "test, check, format")
  .argument("[args...]")
  .allowUnknownOption()
  .action(async (task, args) => (await import("./commands/run.ts")).run(task, args));

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`chirrup: ${error instanceof Error ? error.message : String(error)}\n`);
  if (process.env["CHIRRUP_DEBUG"] !== undefined && error instanceof Error)
    process.stderr.write(`${error.stack}\n`);
  process.exitCode = 1;
}
