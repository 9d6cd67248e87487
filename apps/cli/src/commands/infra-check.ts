import { runChecks } from "../infra/check.ts";
import { chartChecks } from "../infra/charts/checks.ts";
import { clusterChecks } from "../infra/cluster/checks.ts";
import { runningChecks } from "../infra/cluster/running-checks.ts";
import { composeChecks } from "../infra/compose/checks.ts";
import { migrationChecks } from "../infra/migrations/checks.ts";
import { releaseBeforeChecks } from "../infra/migrations/release-before.ts";
import { imageChecks } from "../infra/images/checks.ts";
import { lintChecks } from "../infra/lint/checks.ts";
import { deliveryChecks } from "../infra/kubernetes/argocd.ts";
import { kubernetesChecks } from "../infra/kubernetes/checks.ts";
import { liveChecks } from "../infra/terraform/live-checks.ts";
import { releaseTerraform } from "../infra/terraform/program.ts";
import { runbookChecks } from "../infra/runbooks/checks.ts";
import { terragruntChecks } from "../infra/terraform/terragrunt-checks.ts";
import { unitChecks } from "../infra/terraform/units.ts";
import { terraformChecks } from "../infra/terraform/checks.ts";

export interface InfraCheckFlags {
  readonly quick?: boolean;
  readonly strict?: boolean;
}

const all = [
  ...kubernetesChecks,
  ...deliveryChecks,
  ...chartChecks,
  ...imageChecks,
  ...composeChecks,
  ...migrationChecks,
  ...releaseBeforeChecks,
  ...runbookChecks,
  ...lintChecks,
  ...unitChecks,
  ...liveChecks,
  ...terragruntChecks,
  ...terraformChecks,
  ...clusterChecks,
  ...runningChecks,
];

/** Checks all of infra/; `parts` are beginnings of checks' names. */
export async function infraCheck(parts: readonly string[], flags: InfraCheckFlags): Promise<void> {
  const chosen = all.filter(
    ({ name, quick }) =>
      (flags.quick !== true || quick) && (parts.length === 0 || parts.some((part) => name.startsWith(part))),
  );
  const { passed, failed, skipped, checked } = await runChecks(chosen, flags.strict === true);
  await releaseTerraform();
  const counts = [...checked].map(([unit, count]) => `${count} ${unit}`).join(", ");
  process.stdout.write(`\nchecked: ${counts}\n`);
  process.stdout.write(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}\n`);
  if (failed > 0 || chosen.length === 0) process.exitCode = 1;
}
