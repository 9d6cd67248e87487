// Sends the same requests through this gateway, Envoy's transcoder and a grpc-gateway, before one service that answers with
// what it understood. Prints what they made of them differently, as a table in Markdown; docs/gateway-compared.md has it
// with the reasons.
import { createFileRegistry, fromBinary, toJsonString } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
// The service is that of the gateway's own tests.
// oxlint-disable no-restricted-imports
import { buildDescriptors } from "../../services/gateway/tests/descriptors.ts";
import { serveLibrary } from "../../services/gateway/tests/library.ts";
import { cases, type Case } from "./compare/cases.ts";
import { startGateways, type RunningGateway } from "./compare/gateways.ts";

const folder = mkdtempSync(join(tmpdir(), "compare-gateways-"));
const descriptors = buildDescriptors();
const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(descriptors.path)));
const library = await serveLibrary(registry);
let gateways: readonly RunningGateway[] = [];
try {
  gateways = await startGateways({ descriptors: descriptors.path, upstream: library.address, folder });
  for (const gateway of gateways) await isUp(gateway);
  const rows = [
    ["request", ...gateways.map(({ name }) => name)],
    ["---", "---", "---", "---"],
  ];
  const alike: string[] = [];
  for (const each of cases) {
    const answers = [];
    for (const { port } of gateways) answers.push(await ask(port, each));
    if (new Set(answers).size === 1) alike.push(each.what);
    else rows.push([each.what, ...answers]);
  }
  const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ⏎ ");
  process.stdout.write(rows.map((row) => `| ${row.map(cell).join(" | ")} |\n`).join(""));
  process.stdout.write(
    `\n${alike.length} of ${cases.length} requests are answered alike: ${alike.join("; ")}.\n`,
  );
} finally {
  for (const { child } of gateways) child.kill();
  await library.close();
  descriptors.remove();
  rmSync(folder, { recursive: true, force: true });
}

async function isUp({ port, name, child }: RunningGateway): Promise<void> {
  for (let i = 0; i < 200; i += 1) {
    if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode}`);
    const answer = await ask(port, { what: "", method: "GET", path: "/v1/shelves/1" }).catch(() => "");
    if (answer.startsWith("200")) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${name} does not answer`);
}

/** What came back, in short: the status, and what the service understood or the form of the failure. */
function ask(port: number, { method, path, headers = {}, body }: Case): Promise<string> {
  const bytes = body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body);
  const length = bytes === undefined ? {} : { "content-length": Buffer.byteLength(bytes) };
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { host: "127.0.0.1", port, method, path, headers: { ...headers, ...length }, timeout: 3_000 },
      (response) => {
        let text = "";
        const type = (response.headers["content-type"] ?? "no type").split(";")[0] ?? "";
        const end = (): void => resolve(`${response.statusCode} ${describe(type, text)}`.trim());
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => (text += chunk));
        response.on("end", end);
        response.on("error", () => resolve(`${response.statusCode} ${describe(type, text)}, cut off`));
        request.on("timeout", () => {
          resolve(`${response.statusCode} ${describe(type, text)}, and no end`);
          request.destroy();
        });
      },
    );
    request.on("timeout", () => {
      resolve("no answer");
      request.destroy();
    });
    request.on("error", reject);
    request.end(bytes);
  });
}

function describe(type: string, text: string): string {
  if (text === "") return "";
  if (type !== "application/json") return `${type} \`${shorten(text)}\``;
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(text) as Record<string, unknown>;
  } catch {
    return `\`${shorten(text)}\``;
  }
  const { method, request, code } = value;
  if (typeof method === "string" && typeof request === "string") {
    const rpc = registry.getService("library.v1.LibraryService")?.methods.find(({ name }) => name === method);
    if (rpc === undefined) return method;
    const message = fromBinary(rpc.input, Buffer.from(request, "base64"));
    return `${method} \`${toJsonString(rpc.input, message, { registry })}\``;
  }
  return typeof code === "number" ? "Status" : `\`${shorten(JSON.stringify(value))}\``;
}

/** Without what differs from run to run. */
function shorten(text: string): string {
  const plain = text.trim().replaceAll(/"details":\[.*?\](?=\})/g, '"details":[…]');
  return plain.length > 120 ? `${plain.slice(0, 119)}…` : plain;
}
