import { generateKeyPairSync, randomBytes } from "node:crypto";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort, startProcess } from "@chirrup/servers";
import { goModule, type Ran, run } from "../tools.ts";
import { etcdProgram, kubernetesProgram } from "./programs.ts";
import { definitions } from "./versions.ts";

/** A Kubernetes API server with etcd behind it: it stores and judges objects, and runs nothing. */
export interface ApiServer {
  /** A file by which others connect, as the administrator. */
  readonly kubeconfig: string;
  kubectl(args: readonly string[], input?: string): Ran;
  stop(): Promise<void>;
}

/**
 * Builds what is missing (minutes, once), then starts in `work`, which must be empty.
 *
 * @param admission - Flags of the admission plugins. Default: without accounts, which no controller makes.
 */
export async function startApiServer(
  work: string,
  admission: readonly string[] = ["--disable-admission-plugins=ServiceAccount"],
): Promise<ApiServer> {
  const apiServer = kubernetesProgram("kube-apiserver");
  const kubectl = kubernetesProgram("kubectl");
  const etcd = etcdProgram();

  const [client, peer, secure] = [await freePort(), await freePort(), await freePort()];
  const store = await startProcess({
    command: etcd,
    args: [
      `--data-dir=${join(work, "etcd")}`,
      `--listen-client-urls=http://127.0.0.1:${client}`,
      `--advertise-client-urls=http://127.0.0.1:${client}`,
      `--listen-peer-urls=http://127.0.0.1:${peer}`,
      `--initial-advertise-peer-urls=http://127.0.0.1:${peer}`,
      `--initial-cluster=default=http://127.0.0.1:${peer}`,
      "--unsafe-no-fsync",
    ],
    logFile: join(work, "etcd.log"),
  });

  const token = randomBytes(24).toString("hex");
  writeFileSync(join(work, "tokens.csv"), `${token},admin,admin,"system:masters"\n`);
  const { privateKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
  writeFileSync(join(work, "accounts.key"), privateKey);
  const server = await startProcess({
    command: apiServer,
    args: [
      `--etcd-servers=http://127.0.0.1:${client}`,
      `--cert-dir=${join(work, "certificates")}`,
      "--bind-address=127.0.0.1",
      `--secure-port=${secure}`,
      `--token-auth-file=${join(work, "tokens.csv")}`,
      "--authorization-mode=RBAC",
      "--service-account-issuer=https://kubernetes.default.svc",
      `--service-account-key-file=${join(work, "accounts.key")}`,
      `--service-account-signing-key-file=${join(work, "accounts.key")}`,
      "--service-cluster-ip-range=10.96.0.0/16",
      ...admission,
    ],
    logFile: join(work, "kube-apiserver.log"),
  });

  const kubeconfig = join(work, "kubeconfig");
  const cluster = {
    server: `https://127.0.0.1:${secure}`,
    "certificate-authority": join(work, "certificates", "apiserver.crt"),
  };
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: "local", cluster }],
      users: [{ name: "admin", user: { token } }],
      contexts: [{ name: "local", context: { cluster: "local", user: "admin" } }],
      "current-context": "local",
    }),
  );
  const call = (args: readonly string[], input?: string): Ran =>
    run(
      kubectl,
      [`--kubeconfig=${kubeconfig}`, `--cache-dir=${join(work, "cache")}`, ...args],
      input === undefined ? {} : { input },
    );
  const stop = async (): Promise<void> => {
    await server.stop();
    await store.stop();
  };
  try {
    await until("the API server answers", () => call(["get", "--raw=/readyz"]).ok);
    return { kubeconfig, kubectl: call, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Makes the kinds of the add-ons known. Returns how many there are. */
export async function installDefinitions(server: ApiServer): Promise<number> {
  let installed = 0;
  for (const { path, version, files } of definitions) {
    const folder = goModule(path, version);
    for (const file of files.map((name) => join(folder, name))) {
      const found = statSync(file).isDirectory() ? readdirSync(file).map((name) => join(file, name)) : [file];
      const texts = found
        .filter((name) => name.endsWith(".yaml"))
        .map((name) => readFileSync(name, "utf8"))
        .filter((text) => /^kind: CustomResourceDefinition$/m.test(text))
        // Charts keep their definitions between a condition's lines.
        .map((text) => text.replaceAll(/^\{\{.*\}\}$/gm, ""));
      installed += texts.length;
      const { ok, output } = server.kubectl(
        ["apply", "--server-side", "--filename=-"],
        texts.join("\n---\n"),
      );
      if (!ok) throw new Error(`${path}: ${output.slice(-800)}`);
    }
  }
  await until(
    "the kinds are served",
    () => server.kubectl(["wait", "--for=condition=Established", "crd", "--all", "--timeout=30s"]).ok,
  );
  return installed;
}

/** Looks four times a second, for two minutes. Rejects with what it waited for. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 120_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}
