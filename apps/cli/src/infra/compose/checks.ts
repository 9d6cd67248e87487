import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { repositoryRoot } from "../../launcher/paths.ts";
import type { InfraCheck } from "../check.ts";
import { at } from "../kubernetes/objects.ts";
import { namedByGatewayFile, settingsRead } from "../kubernetes/settings.ts";
import { services } from "../images/changed-services.ts";
import { goToolOf, pythonTool, run } from "../tools.ts";

const file = join(repositoryRoot, "infra", "docker", "compose.yaml");

interface ComposeService {
  readonly image?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly depends_on?: Readonly<Record<string, unknown>> | readonly string[];
}

/** What the Compose specification's schema says against it, and what the settings and we do. */
async function faultsOf(text: string): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), "chirrup-compose-"));
  try {
    const copy = join(folder, "compose.yaml");
    writeFileSync(copy, text);
    const program = pythonTool("check-jsonschema", "check-jsonschema", "0.39.0");
    const { ok, output } = run(program, ["--builtin-schema", "vendor.compose-spec", copy]);
    if (!ok) return output.split("\n").filter((line) => line.trim() !== "");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const all = (at(parse(text, { merge: true }), "services") ?? {}) as Record<string, ComposeService>;
  const faults = Object.entries(all).flatMap(
    ([name, { image, environment = {}, depends_on: after = {} }]) => [
      ...(image === undefined || /:\d+\.\d+/.test(image) ? [] : [`${name}: ${image} has no exact version`]),
      ...(Array.isArray(after) ? (after as string[]) : Object.keys(after))
        .filter((other) => !(other in all))
        .map((other) => `${name}: waits for ${other}, which does not exist`),
      ...Object.entries(environment)
        .filter(([key, value]) => isSecret(key, value) && !/\$\{\w+:\?\}/.test(value))
        .map(([key]) => `${name}: ${key} is a secret in clear`),
    ],
  );
  faults.push(...otherVersions(Object.values(all).flatMap(({ image }) => image ?? [])));
  for (const service of services)
    faults.push(...(await settingFaults(service, all[service]?.environment ?? {})));
  return faults;
}

/** Kafka and Debezium are those that the launcher's full profile runs and the tests know. */
function otherVersions(images: readonly string[]): string[] {
  const pom = readFileSync(join(repositoryRoot, "packages", "servers", "java", "pom.xml"), "utf8");
  const tested = (artifact: string): string =>
    new RegExp(`<artifactId>${artifact}</artifactId>\\s*<version>([^<]+)<`).exec(pom)?.[1] ?? "unknown";
  return [
    ["apache/kafka", tested("kafka_2.13")],
    ["debezium/connect", tested("debezium-connector-postgres")],
  ].flatMap(([name = "", version = ""]) =>
    images
      .filter((image) => image.includes(`${name}:`) && !image.endsWith(`:${version}`))
      .map((image) => `${image} is not the ${version} that is tested`),
  );
}

const isSecret = (key: string, value: string): boolean =>
  /(?:SECRET|PASSWORD)$/.test(key) || /:\/\/[^/@]+:[^/@]+@/.test(value);

/** What a service is not given, is given and does not read, or does not take. */
async function settingFaults(
  service: string,
  environment: Readonly<Record<string, string>>,
): Promise<string[]> {
  const read = await settingsRead(service);
  const alsoRead = service === "gateway" ? namedByGatewayFile() : [];
  return [
    ...Object.entries(read)
      .filter(([name, field]) => !(name in environment) && !field.safeParse(undefined).success)
      .map(([name]) => `is not given ${name}`),
    ...Object.keys(environment)
      .filter((name) => !(name in read) && !alsoRead.includes(name))
      .map((name) => `is given ${name}, which it does not read`),
    ...Object.entries(environment).flatMap(([name, value]) =>
      (read[name]?.safeParse(value.replaceAll(/\$\{\w+:\?\}/g, "0".repeat(64))).error?.issues ?? []).map(
        ({ message }) => `is given ${name}, which ${message}`,
      ),
    ),
  ].map((fault) => `${service}: ${fault}`);
}

/** Compose's go.mod leaves versions out, which `go install` refuses: they are left out here in the same way. */
const composeModule = `module chirrup.invalid/compose

go 1.26.0

require github.com/docker/compose/v5 v5.6.0

exclude (
\tgithub.com/davecgh/go-spew v1.1.2-0.20180830191138-d8f796af33cc
\tgithub.com/pmezard/go-difflib v1.0.1-0.20181226105442-5d4384ee4fb2
)
`;

/** What Compose itself says against a file, given the example's variables. */
function composeFaults(text: string): string[] {
  const compose = goToolOf("compose", "github.com/docker/compose/v5/cmd", "v5.6.0", composeModule);
  const example = readFileSync(join(file, "..", "compose.env.example"), "utf8");
  const env = Object.fromEntries(
    [...example.matchAll(/^([A-Z_]+)=/gm)].map(([, name = ""]) => [name, "0".repeat(64)]),
  );
  const args = ["--project-directory", join(file, ".."), "--file", "-", "config", "--quiet"];
  const { ok, output } = run(compose, args, { input: text, env });
  return ok && output === "" ? [] : output.split("\n");
}

const wrong: readonly (readonly [name: string, from: string | RegExp, to: string, complaint: RegExp])[] = [
  ["a key that Compose does not know", /^ {4}ports:/m, "    port:", /port/],
  ["a secret in clear", "PEER_SECRET: ${PEER_SECRET:?}", `PEER_SECRET: ${"s".repeat(40)}`, /in clear/],
  ["a setting that nobody reads", "  TOKEN_ISSUER:", "  TOKEN_ISSUERS:", /TOKEN_ISSUERS/],
  ["an image called latest", "valkey:8.1", "valkey:latest", /no exact version/],
  ["another Debezium than the tested one", "connect:3.7.0", "connect:2.7.0", /that is tested/],
  ["a part that waits for nobody", "kafka: { condition", "kafkas: { condition", /waits for kafkas/],
];

export const composeChecks: readonly InfraCheck[] = [
  {
    name: "compose: full profile",
    quick: true,
    run: async () => {
      const text = readFileSync(file, "utf8");
      const all = at(parse(text, { merge: true }), "services") ?? {};
      return { checked: Object.keys(all).length, unit: "containers", faults: await faultsOf(text) };
    },
  },
  {
    name: "compose: by Compose itself",
    quick: false,
    run: () => {
      const text = readFileSync(file, "utf8");
      const faults = composeFaults(text);
      const spoiled = text.replace("depends_on: { kafka: {", "depends_on: { kafkas: {");
      for (const [name, wrongText] of [
        ["a part that waits for nobody", spoiled],
        ["a variable that the example lacks", text.replace("${PEER_SECRET:?}", "${PEER_SECRETS:?}")],
      ] as const)
        if (wrongText === text || composeFaults(wrongText).length === 0)
          faults.push(`${name}: was not found`);
      return { checked: 1, unit: "files", faults };
    },
  },
  {
    name: "compose: seeded faults",
    quick: true,
    run: async () => {
      const text = readFileSync(file, "utf8");
      const faults: string[] = [];
      for (const [name, from, to, complaint] of wrong) {
        const found = await faultsOf(text.replace(from, to));
        if (!found.some((fault) => complaint.test(fault))) faults.push(`${name}: was not found`);
      }
      return { checked: wrong.length, unit: "seeded faults", faults };
    },
  },
];
