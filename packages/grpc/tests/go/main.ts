import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { promisify } from "node:util";

import { openChannel, serve, type Server } from "../../src/index.ts";
import { cases } from "../interop/cases.ts";
import { testServiceDefinition } from "../interop/test-service.ts";
import { runH2spec } from "./h2spec.ts";
import { buildPeers, type Peers } from "./peers.ts";

/*
 * Plays this package against what is written in Go: grpc-go's interop client and server, grpcurl by reflection, and
 * h2spec. A line for each, the count at the end; needs Go and, the first time, its module proxy.
 */

const run = promisify(execFile);
const caseTimeoutMs = 20_000;
let failed = 0;
let passed = 0;

async function check(name: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
    passed++;
    process.stdout.write(`✓ ${name}\n`);
  } catch (error) {
    failed++;
    const said = (error as { stderr?: string }).stderr ?? "";
    process.stdout.write(`✗ ${name}: ${String(error)}\n${said}`);
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function playGoClient(peers: Peers, server: Server): Promise<void> {
  for (const name of Object.keys(cases)) {
    const args = [
      `--server_host=127.0.0.1`,
      `--server_port=${server.port}`,
      `--use_tls=false`,
      `--test_case=${name}`,
    ];
    await check(`grpc-go's client, this server: ${name}`, async () =>
      run(peers.interopClient, args, { timeout: caseTimeoutMs }),
    );
  }
}

async function playGoServer(peers: Peers): Promise<void> {
  const port = await freePort();
  const server = spawn(peers.interopServer, [`--port=${port}`], { stdio: ["ignore", "ignore", "inherit"] });
  const channel = openChannel(`127.0.0.1:${port}`);
  try {
    await channel.unary("/grpc.testing.TestService/EmptyCall", new Uint8Array(), {
      waitForReady: true,
      timeoutMs: caseTimeoutMs,
    });
    for (const [name, test] of Object.entries(cases)) {
      await check(`this client, grpc-go's server: ${name}`, async () => test(channel));
    }
  } finally {
    channel.close();
    server.kill();
  }
}

async function playGrpcurl({ grpcurl }: Peers, { port }: Server): Promise<void> {
  const ask = async (...args: string[]): Promise<string> => {
    const { stdout } = await run(grpcurl, ["-plaintext", ...args], { timeout: caseTimeoutMs });
    return stdout;
  };
  const address = `127.0.0.1:${port}`;
  await check("grpcurl lists the services by reflection", async () => {
    const listed = (await ask(address, "list")).trim().split("\n");
    if (listed.join() !== "grpc.reflection.v1.ServerReflection,grpc.testing.TestService") {
      throw new Error(`it listed ${listed.join(", ")}`);
    }
  });
  await check("grpcurl describes a method by reflection", async () => {
    const said = await ask(address, "describe", "grpc.testing.TestService.UnaryCall");
    if (!said.includes("SimpleRequest")) throw new Error(said);
  });
  await check("grpcurl calls by reflection", async () => {
    const said = await ask("-d", '{"responseSize":3}', address, "grpc.testing.TestService/UnaryCall");
    if (!said.includes("AAAA")) throw new Error(said);
  });
}

const peers = await buildPeers();
const server = await serve({
  services: [testServiceDefinition()],
  host: "127.0.0.1",
  port: 0,
  reflection: true,
});
await playGoClient(peers, server);
await playGoServer(peers);
await playGrpcurl(peers, server);
await check("h2spec finds no failure", async () => {
  const summary = await runH2spec(peers.h2spec, server.port);
  process.stdout.write(`  ${summary}\n`);
});
await server.close(0);
process.stdout.write(`${passed} passed, ${failed} failed\n`);
if (failed > 0) process.exitCode = 1;
