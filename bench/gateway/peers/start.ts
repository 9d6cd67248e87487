import { spawn, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import { freePort } from "@chirrup/servers";
// A tool that cannot be had is told apart as it is elsewhere.
// oxlint-disable-next-line no-restricted-imports
import { ToolMissing } from "../../../apps/cli/src/infra/check.ts";
import { root } from "../processes.ts";
import { audience, issuer } from "../tokens.ts";
import { envoy, envoyArguments } from "./envoy.ts";
import { grpcGateway } from "./grpc-gateway.ts";

export interface Peer {
  readonly name: string;
  readonly port: number;
  readonly child: ChildProcess;
}

export interface PeerParts {
  readonly upstreamPort: number;
  readonly redisUrl: string;
  readonly jwksUrl: string;
}

/**
 * Envoy and grpc-gateway before the upstream, where they can be had. Both verify tokens and keep what they verified;
 * grpc-gateway counts the three rules by the same script in the same Redis, and Envoy none, since it has no such limiter.
 */
export async function startPeers({ upstreamPort, redisUrl, jwksUrl }: PeerParts): Promise<readonly Peer[]> {
  const jwks = await (await fetch(jwksUrl)).text();
  const starts = [
    {
      name: "Envoy",
      command: (port: number) => [
        envoy(),
        ...envoyArguments({
          port,
          upstreamPort,
          descriptors: join(root, "proto/gen/chirrup.binpb"),
          services: ["post", "feed"].map(
            (name) => `chirrup.${name}.v1.${name === "post" ? "Post" : "Feed"}Service`,
          ),
          issuer: { name: issuer, audience, jwks },
        }),
      ],
    },
    {
      name: "grpc-gateway",
      command: (port: number) => [
        grpcGateway(),
        `--listen=127.0.0.1:${port}`,
        `--upstream=127.0.0.1:${upstreamPort}`,
        `--redis=${redisUrl}`,
        `--script=${join(root, "services/gateway/lua/token-bucket.lua")}`,
        `--jwks=${jwksUrl}`,
        `--issuer=${issuer}`,
        `--audience=${audience}`,
      ],
    },
  ];
  const peers: Peer[] = [];
  for (const { name, command } of starts) {
    const port = await freePort();
    try {
      const [program = "", ...args] = command(port);
      peers.push({ name, port, child: spawn(program, args, { stdio: ["pipe", "ignore", "inherit"] }) });
    } catch (error) {
      if (!(error instanceof ToolMissing)) throw error;
      process.stderr.write(`without ${name}: ${error.message}\n`);
    }
  }
  return peers;
}
