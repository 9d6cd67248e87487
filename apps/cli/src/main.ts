import { Argument, Command } from "commander";

// Each command's code is loaded when it runs: `status` answers within a second because it loads little.
const program = new Command("chirrup")
  .description("Runs and looks after a Chirrup platform on this machine.")
  .showHelpAfterError()
  .configureHelp({ sortSubcommands: false });

program
  .command("up")
  .description("start the platform and keep it in the foreground until Ctrl-C")
  .option(
    "--profile <name>",
    "embedded, or full: Postgres replicas, Redis Cluster, Kafka, Debezium",
    "embedded",
  )
  .option("--port <number>", "port of the gateway; 0 takes a free one", "8080")
  .option("--celebrity-threshold <followers>", "followers from which posts are merged on read, not pushed")
  .option("--brokers <count>", "Kafka brokers of the full profile", "1")
  .option(
    "--heap <size>",
    "laptop, or server: more memory for the services, a fifth less work of theirs",
    "laptop",
  )
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
  .argument("[part]", "a part that status names (gateway, feed, postgres, …); all without it")
  .option("-f, --follow", "go on with what comes")
  .option("-n, --lines <count>", "lines of each log", "50")
  .action(async (part, flags) => (await import("./commands/logs.ts")).logs(part, flags));

program
  .command("reset")
  .description("stop the platform and delete its data")
  .option("--yes", "really")
  .action(async (flags) => (await import("./commands/reset.ts")).reset(flags));

program
  .command("seed")
  .description(
    "load a follow graph and posts into the running platform through its API; repeatable, resumable",
  )
  .option("--graph <file>", 'an edge list, a line "a b": a follows b; without it a power-law graph is made')
  .option("--undirected", "take each edge both ways")
  .option("--users <count>", "users of the made graph", "200")
  .option("--synthetic", "load a power-law graph straight into the databases, for very many users")
  .option("--max-followers <count>", "of the most followed author (with --synthetic); half of all without it")
  .option("--posts <count>", "posts to write", "1000")
  .option("--rate <posts>", "posts a second; as fast as they go without it")
  .option("--random-seed <number>", "another number gives other posts", "1")
  .option("--concurrency <count>", "requests at once", "32")
  .option("--json", "one JSON object on standard output")
  .action(async (flags) => (await import("./commands/seed.ts")).seed(flags));

program
  .command("audit")
  .description(
    "compare every page of every home feed, or every counter, with the truth in Postgres, or look for what is left of deleted accounts; exit code 1 on a difference",
  )
  .addArgument(new Argument("[what]").choices(["feeds", "counters", "deletions"]).default("feeds"))
  .option("--sample <readers>", "only so many readers, chosen at random")
  .option("--page-size <posts>", "1 to 100", "100")
  .option("--concurrency <count>", "readers at once", "8")
  .option("--settle-ms <ms>", "how long a feed may take to become right, for events on their way", "10000")
  .option("--resume", "go on with the feeds' audit that was interrupted: the same sample, what is left of it")
  .option("--repair", "put wrong counters right, build wrong feeds anew")
  .option("--json", "one JSON object on standard output")
  .action(async (what, flags) => {
    switch (what) {
      case "counters":
        return (await import("./commands/audit-counters.ts")).auditCountersOf(flags);
      case "deletions":
        return (await import("./commands/audit-deletions.ts")).auditDeletionsOf(flags);
      default:
        return (await import("./commands/audit.ts")).audit(flags);
    }
  });

program
  .command("api-check")
  .description(
    "drive the running platform from its OpenAPI by schemathesis: no 5xx, nothing undescribed; installs it",
  )
  .option("--examples <count>", "cases of each route, besides its schema's edges", "20")
  .option("--random-seed <number>", "another number makes other cases", "1")
  .action(async (flags) => (await import("./commands/api-check.ts")).apiCheck(flags));

program
  .command("faults")
  .description(
    "let parts of the running platform die, or hang, under load and compare what was acknowledged with what is there; exit code 1 when something is lost",
  )
  .addArgument(
    new Argument(
      "[what]",
      "kills: SIGKILL; stall: what carries events hangs; lost-slot: and loses its place meanwhile, until `events recover`",
    )
      .choices(["kills", "stall", "lost-slot"])
      .default("kills"),
  )
  .option("--kills <count>", "kills: every kind of part in turn, then at random", "100")
  .option("--only <kinds...>", "only these kinds: gateway, post, relay, connect, broker, postgres-primary, …")
  .option(
    "--writes <count>",
    "stall, lost-slot: writes meanwhile; the default is an hour at five a second",
    "18000",
  )
  .option("--rate <writes>", "writes a second: posts, follows, likes, and what takes them back", "40")
  .option("--users <count>", "users who write, made for this run", "24")
  .option("--random-seed <number>", "another number kills and writes in another order", "1")
  .option("--json", "one JSON object on standard output")
  .action(async (what, flags) => (await import("./commands/faults.ts")).faults(what, flags));

program
  .command("failover")
  .description("make the replica of a service the primary, and the primary its replica (full profile)")
  .argument("<service>", "user, follow or post")
  .option("--kill", "end the primary by SIGKILL: what its replica has not received is lost")
  .option("--json", "one JSON object on standard output")
  .action(async (service, flags) => (await import("./commands/failover.ts")).failover(service, flags));

const feeds = program.command("feeds").description("look after the home feeds that are kept in Redis");

feeds
  .command("rebuild")
  .description("build every reader's home timeline that is not kept, as after the loss of Redis; resumable")
  .option("--all", "build those that are kept anew, too")
  .option("--concurrency <count>", "batches of readers at once", "4")
  .option("--json", "one JSON object on standard output")
  .action(async (flags) => (await import("./commands/feeds.ts")).rebuild(flags));

program
  .command("infra-check")
  .description("check images, Kubernetes, Terraform, Argo CD and workflows; installs its tools")
  .argument("[parts...]", "only the checks whose names begin so: kubernetes, settings, terraform, …")
  .option("--quick", "only what ends within seconds")
  .option("--strict", "a tool that cannot be had is a failure")
  .action(async (parts, flags) => (await import("./commands/infra-check.ts")).infraCheck(parts, flags));

program
  .command("changed-images")
  .description("the services whose images differ from those of another commit, as JSON")
  .requiredOption("--since <revision>", "the other commit")
  .action(async ({ since }) => (await import("./infra/images/changed-services.ts")).changedImages(since));

const events = program
  .command("events")
  .description("look after the event log: how far its readers are, what they could not apply");

events
  .command("lag")
  .description("what each group of consumers has not handled yet, by topic and partition")
  .option("--json", "one JSON object on standard output")
  .action(async (flags) => (await import("./commands/events.ts")).lag(flags));

events
  .command("dead-letters")
  .description("what groups could not apply, with its cause, oldest first")
  .option("--group <name>", "of one group; of all without it")
  .option("--limit <count>", "at most so many of a group", "100")
  .option("--json", "one JSON object on standard output")
  .action(async (flags) => (await import("./commands/events.ts")).deadLetters(flags));

events
  .command("replay")
  .description(
    "append dead letters to their topics again, or what an outbox keeps; consumers bear repetition",
  )
  .option("--group <name>", "dead letters of one group; of all without it")
  .option("--limit <count>", "at most so many dead letters of a group", "1000")
  .option("--from-outbox", "append the rows of a service's outbox, as after the loss of its slot")
  .option("--source <service>", "user, follow or post (with --from-outbox)")
  .option("--since <time>", "rows of the last 90s, 30m, 2h; 48h are kept (with --from-outbox)", "48h")
  .option("--json", "one JSON object on standard output")
  .action(async (flags) => (await import("./commands/events.ts")).replay(flags));

events
  .command("recover")
  .description("after the loss of a slot: make it anew, let Debezium read it, append what the outbox keeps")
  .option("--since <time>", "rows of the last 90s, 30m, 2h; 48h are kept", "48h")
  .option("--json", "one JSON object on standard output")
  .action(async (flags) => (await import("./commands/events.ts")).recover(flags));

program
  .command("keys")
  .description("look after the keys that sign access tokens")
  .command("rotate")
  .description(
    "add a key; it signs once every gateway can know it, and the old ones go when no token needs them",
  )
  .option("--json", "one JSON object on standard output")
  .action(async (flags) => (await import("./commands/keys.ts")).rotateKeys(flags));

program
  .command("bench")
  .description("measure a part against what one would use instead; writes bench/results/<name>.json")
  .argument("<name>", "a folder of bench/: grpc, …")
  .argument("[args...]", "--quick ends within a minute or two")
  .allowUnknownOption()
  .action(async (name, args) => (await import("./commands/bench.ts")).bench(name, args));

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
