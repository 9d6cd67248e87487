/** Kubernetes as the eks module's default, and what its API server stores its objects in. */
export const kubernetesVersion = "v1.35.4";
export const etcdVersion = "v3.6.5";
export const kwokVersion = "v0.8.0";

/**
 * The modules that hold the CRDs of the add-ons, and where in them: at the versions that infra/argocd installs, but
 * for External Secrets, whose later releases are no Go modules; the kinds in use are the same in both.
 */
export const definitions: readonly { path: string; version: string; files: readonly string[] }[] = [
  { path: "github.com/cert-manager/cert-manager", version: "v1.21.2", files: ["deploy/crds"] },
  { path: "github.com/external-secrets/external-secrets", version: "v1.3.2", files: ["config/crds/bases"] },
  { path: "sigs.k8s.io/gateway-api", version: "v1.6.3", files: ["config/crd/standard"] },
  {
    path: "github.com/envoyproxy/gateway",
    version: "v1.9.1",
    files: ["charts/gateway-crds-helm/templates/generated"],
  },
  { path: "github.com/kedacore/keda/v2", version: "v2.21.0", files: ["config/crd/bases"] },
  { path: "github.com/argoproj/argo-cd/v3", version: "v3.4.4", files: ["manifests/crds"] },
];
