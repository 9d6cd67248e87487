import { parseArgs } from "node:util";
import { openChannel } from "@chirrup/grpc";
import { runService, processSettings, setting } from "@chirrup/platform";
import { z } from "zod";
import { check } from "./command-line/check.ts";
import { loadAlone, runAlone, type RunAloneOptions } from "./command-line/run-alone.ts";
import { createChannels } from "./reload/channels.ts";

const usage = `chirrup-gateway check --gateway-file FILE --rates FILE --descriptors FILE
    Validates the three files, with the variables that they name in the environment, and prints the routes.

chirrup-gateway run --descriptors FILE --upstream SERVICE=ADDRESS (--public | --jwks URL) [options]
    Serves gRPC services over HTTP with no other file.
    --upstream     full name of a service and where it is: shop.v1.Shop=dns:///shop:5000; once for each service
    --public       anybody may call every route
    --jwks         key set of the token issuer; routes are for its tokens, unless the proto says public
    --issuer, --audience, --token-type   what these tokens must say (token-type: JWT)
    --host, --port (127.0.0.1, 8080)
    --tls          folder of tls.crt and tls.key
    --admin-port   serves /healthz, /readyz and /metrics there
    --gateway-file cookies, origins, CORS, metadata; what --upstream says comes before it
    --rates, --redis   rate rules, and where their buckets are; without --redis they are in this process
    Files that change are checked and taken over, or refused with the reason in the log and in /readyz; SIGHUP reads them at once.
`;

const flags = {
  "gateway-file": { type: "string" },
  rates: { type: "string" },
  descriptors: { type: "string" },
  upstream: { type: "string", multiple: true, default: [] as string[] },
  public: { type: "boolean", default: false },
  jwks: { type: "string" },
  issuer: { type: "string" },
  audience: { type: "string" },
  "token-type": { type: "string", default: "JWT" },
  tls: { type: "string" },
  "admin-port": { type: "string" },
  host: { type: "string", default: "127.0.0.1" },
  port: { type: "string", default: "8080" },
  redis: { type: "string" },
  help: { type: "boolean", default: false },
} as const;

/** EX_USAGE of sysexits.h. */
const usageExitCode = 64;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ options: flags, allowPositionals: true });
  const [command, ...others] = positionals;
  if (values.help) return void process.stdout.write(usage);
  if (others.length > 0 || (command !== "check" && command !== "run")) throw new Error("say check or run");
  const need = (name: "gateway-file" | "rates" | "descriptors"): string => {
    const value = values[name];
    if (value === undefined) throw new Error(`--${name} is missing`);
    return value;
  };
  if (command === "check") {
    process.exitCode = await check({
      GATEWAY_CONFIG: need("gateway-file"),
      RATE_RULES: need("rates"),
      DESCRIPTORS: need("descriptors"),
    });
    return;
  }
  const descriptors = need("descriptors");
  if (values.public === (values.jwks !== undefined)) throw new Error("say either --public or --jwks URL");
  const port = portOf("--port", values.port);
  const adminPort =
    values["admin-port"] === undefined ? undefined : portOf("--admin-port", values["admin-port"]);
  const upstreams = new Map(
    values.upstream.map((pair) => {
      const [service = "", ...address] = pair.split("=");
      if (!setting.address().safeParse(address.join("=")).success)
        throw new Error(`--upstream ${pair} is not SERVICE=host:port or SERVICE=dns:///host:port`);
      return [service, address.join("=")] as const;
    }),
  );
  const { jwks, issuer, audience, host, redis, rates } = values;
  const options: RunAloneOptions = {
    descriptors,
    upstreams,
    issuer: jwks === undefined ? undefined : { jwks, issuer, audience, type: values["token-type"] },
    host,
    port,
    adminPort,
    tls: values.tls,
    redis,
    rates,
    gatewayFile: values["gateway-file"],
  };
  if (!(await canBeServed(options))) return;
  await runService({
    name: "gateway",
    schema: z.object(processSettings),
    async start(life) {
      process.stdout.write(await runAlone(life, options));
    },
  });
}

/** Says the reason in words when not, where the log would say it as one of its lines. */
async function canBeServed(options: RunAloneOptions): Promise<boolean> {
  const channels = createChannels((address) => openChannel(address));
  try {
    await loadAlone(options, channels);
    return true;
  } catch (error) {
    process.stderr.write(`chirrup-gateway: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
    return false;
  } finally {
    channels.closeAll();
  }
}

function portOf(name: string, text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error(`${name} is not a port`);
  return port;
}

try {
  await main();
} catch (error) {
  process.stderr.write(
    `chirrup-gateway: ${error instanceof Error ? error.message : String(error)}\n\n${usage}`,
  );
  process.exitCode = usageExitCode;
}
