import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Programs by their paths. */
export interface Peers {
  readonly interopClient: string;
  readonly interopServer: string;
  readonly grpcurl: string;
  readonly h2spec: string;
}

const compiler = "go";
const module = fileURLToPath(new URL("../../go", import.meta.url));
/** Beside other tools' caches: built once, and gone with the packages. */
const built = fileURLToPath(new URL("../../../../node_modules/.cache/chirrup-grpc-go", import.meta.url));

/** Builds the tools of `go/go.mod`. Throws when there is no Go. */
export async function buildPeers(): Promise<Peers> {
  mkdirSync(built, { recursive: true });
  const program = (name: string, source: string): string => {
    const file = join(built, name);
    execFileSync(compiler, ["build", "-o", file, source], {
      cwd: module,
      stdio: ["ignore", "inherit", "inherit"],
    });
    return file;
  };
  return {
    interopClient: program("interop-client", "google.golang.org/grpc/interop/client"),
    interopServer: program("interop-server", "google.golang.org/grpc/interop/server"),
    grpcurl: program("grpcurl", "github.com/fullstorydev/grpcurl/cmd/grpcurl"),
    h2spec: program("h2spec", "github.com/summerwind/h2spec/cmd/h2spec"),
  };
}
