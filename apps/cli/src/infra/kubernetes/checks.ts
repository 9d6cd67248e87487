import type { Findings, InfraCheck } from "../check.ts";
import { environments, type KubeObject, render, serviceOf } from "./objects.ts";
import { judge } from "./policies.ts";
import { compareSecrets, secretsMade } from "./secrets.ts";
import { policyFaults, secretFaults, type SeededFault, settingFaults } from "./seeded-faults.ts";
import {
  compareSettings,
  namedByGatewayFile,
  type Settings,
  settingsRead,
  strayMigrationSettings,
} from "./settings.ts";

const rendered = new Map<string, KubeObject[]>();
function objectsOf(environment: string): KubeObject[] {
  const found = rendered.get(environment) ?? render(`envs/${environment}`);
  rendered.set(environment, found);
  return structuredClone(found);
}

const servicesRead = new Map<string, Settings>();
async function readSettings(objects: readonly KubeObject[]): Promise<void> {
  for (const object of objects.filter(({ kind }) => kind === "Deployment")) {
    const service = serviceOf(object);
    if (!servicesRead.has(service)) servicesRead.set(service, await settingsRead(service));
  }
}

function settingFaultsOf(objects: readonly KubeObject[]): string[] {
  return objects.flatMap((object) => {
    const service = serviceOf(object);
    const read = servicesRead.get(service.replace(/-migrate$/, "")) ?? {};
    if (object.kind === "Deployment")
      return compareSettings(object, objects, read, service === "gateway" ? namedByGatewayFile() : []);
    return object.kind === "Job" ? strayMigrationSettings(object, read) : [];
  });
}

/** Each seeded fault must bring its complaint; what is found wrong is a check that let one pass. */
function seeded(faults: readonly SeededFault[], complaints: (objects: KubeObject[]) => string[]): Findings {
  return {
    checked: faults.length,
    unit: "seeded faults",
    faults: faults.flatMap((fault) => {
      const objects = objectsOf("prod");
      fault.spoil(objects);
      return complaints(objects).some((text) => fault.complaint.test(text))
        ? []
        : [`${fault.name}: was not found`];
    }),
  };
}

/** What kustomize makes of infra/k8s, held to our own rules. */
export const kubernetesChecks: readonly InfraCheck[] = [
  {
    name: "kubernetes: policies",
    quick: true,
    run: () => ({
      checked: environments.reduce((sum, environment) => sum + objectsOf(environment).length, 0),
      unit: "objects",
      faults: environments.flatMap((environment) => judge(objectsOf(environment), environment)),
    }),
  },
  {
    name: "kubernetes: seeded faults",
    quick: true,
    run: () => seeded(policyFaults, (objects) => judge(objects, "prod")),
  },
  {
    name: "settings: code and manifests",
    quick: true,
    run: async () => {
      const faults: string[] = [];
      for (const environment of environments) {
        const objects = objectsOf(environment);
        await readSettings(objects);
        faults.push(...settingFaultsOf(objects).map((fault) => `${environment}: ${fault}`));
      }
      const checked = [...servicesRead.values()].reduce((sum, read) => sum + Object.keys(read).length, 0);
      return { checked, unit: "settings", faults };
    },
  },
  {
    name: "settings: seeded faults",
    quick: true,
    run: async () => {
      await readSettings(objectsOf("prod"));
      return seeded(settingFaults, settingFaultsOf);
    },
  },
  {
    name: "settings: manifests and Terraform",
    quick: true,
    run: () => ({
      checked: environments.reduce((sum, environment) => sum + secretsMade(environment).length, 0),
      unit: "secrets' properties",
      faults: environments.flatMap((environment) =>
        compareSecrets(objectsOf(environment), environment).map((fault) => `${environment}: ${fault}`),
      ),
    }),
  },
  {
    name: "settings: secrets' seeded faults",
    quick: true,
    run: () => seeded(secretFaults, (objects) => compareSecrets(objects, "prod")),
  },
];
