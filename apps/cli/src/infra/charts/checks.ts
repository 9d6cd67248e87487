import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { InfraCheck } from "../check.ts";
import { at, describe, type KubeObject, textAt } from "../kubernetes/objects.ts";
import { containers, pod, workloads } from "../kubernetes/policy.ts";
import { type Addon, isRendered, readAddons, renderAddon, standIn } from "./render.ts";

/** The faults of what a chart makes: others wrote it, so only what our values decide or must not allow. */
function chartFaults(objects: readonly KubeObject[]): string[] {
  return objects
    .filter(({ kind }) => workloads.includes(kind))
    .flatMap((object) =>
      containers(object).flatMap((container) => {
        const nonRoot =
          at(container, "securityContext", "runAsNonRoot") ??
          at(pod(object), "securityContext", "runAsNonRoot");
        return [
          nonRoot === true ? [] : ["may run as root"],
          at(container, "securityContext", "privileged") === true ? ["is privileged"] : [],
          /:v?\d+\.\d+\.\d+/.test(textAt(container, "image")) ? [] : [`runs ${textAt(container, "image")}`],
          at(container, "resources", "requests", "cpu") === undefined ? ["asks for no cpu"] : [],
          at(container, "resources", "limits", "memory") === undefined ? ["has no limit of memory"] : [],
        ]
          .flat()
          .map((fault) => `${describe(object)} ${textAt(container, "name")} ${fault}`);
      }),
    );
}

function judge(addon: Addon, work: string): { objects: number; faults: string[] } {
  const { objects, complaints } = renderAddon(addon, work);
  return {
    objects: objects.length,
    faults: [...complaints, ...chartFaults(objects)].map((fault) => `${addon.name}: ${fault}`),
  };
}

const wrongValues: readonly (readonly [
  name: string,
  addon: string,
  from: string,
  to: string,
  complaint: RegExp,
])[] = [
  ["a value that the chart does not have", "cert-manager", "replicaCount: 2", "replicas: 2", /replicas/],
  ["a value of a wrong type", "cert-manager", "keep: true", 'keep: "yes"', /keep/],
  ["no limit", "metrics-server", "limits: { memory: 400Mi }", "limits: {}", /no limit of memory/],
  [
    "a pod as root",
    "external-secrets",
    "replicaCount: 2",
    "securityContext: { runAsNonRoot: false }",
    /root/,
  ],
];

function withWork<T>(use: (work: string) => T): T {
  const work = mkdtempSync(join(tmpdir(), "chirrup-charts-"));
  try {
    return use(work);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

export const chartChecks: readonly InfraCheck[] = [
  {
    name: "charts: rendered by Helm",
    quick: false,
    run: () =>
      withWork((work) => {
        const all = readAddons();
        const found = all.filter((addon) => isRendered(addon));
        const judged = found.map((addon) => judge(addon, work));
        return {
          checked: judged.reduce((sum, { objects }) => sum + objects, 0),
          unit: "objects of charts",
          faults: judged.flatMap(({ faults }) => faults),
          left: [
            ...found.flatMap((addon) => standIn(addon, work) ?? []),
            ...all
              .filter((addon) => !isRendered(addon))
              .map(
                ({ name, version }) =>
                  `${name} ${version}: its repository cannot be reached, and no Go module holds its chart`,
              ),
          ],
        };
      }),
  },
  {
    name: "charts: seeded faults",
    quick: false,
    run: () =>
      withWork((work) => ({
        checked: wrongValues.length,
        unit: "seeded faults",
        faults: wrongValues.flatMap(([name, wanted, from, to, complaint]) => {
          const addon = readAddons().find((candidate) => candidate.name === wanted);
          if (!addon?.values.includes(from)) return [`${name}: ${wanted} has no "${from}" to spoil`];
          const { faults } = judge({ ...addon, values: addon.values.replace(from, to) }, work);
          return faults.some((fault) => complaint.test(fault)) ? [] : [`${name}: was not found`];
        }),
      })),
  },
];
