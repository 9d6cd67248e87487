import { readFileSync } from "node:fs";
import { createFileRegistry, fromBinary, type FileRegistry } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { buildDescriptors } from "./descriptors.ts";
import { startGateway, type GatewayOptions, type TestGateway } from "./gateway.ts";
import { serveLibrary, type Library } from "./library.ts";

export interface LibraryGateway {
  readonly gateway: TestGateway;
  readonly library: Library;
  readonly registry: FileRegistry;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A gateway before the services of tests/protos, beside the platform's. `more` goes behind the upstreams and cookies. */
export async function startLibraryGateway(
  more = "",
  options: Omit<GatewayOptions, "gatewayFile" | "descriptors"> = {},
): Promise<LibraryGateway> {
  const descriptors = buildDescriptors();
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(descriptors.path)));
  const library = await serveLibrary(registry);
  const gateway = await startGateway({
    ...options,
    descriptors: descriptors.path,
    gatewayFile: `
upstreams:
  library.v1.LibraryService: ${library.address}
  everything.v1.EverythingService: ${library.address}
  chirrup.user.v1.UserService: \${USER_SERVICE}
  chirrup.post.v1.PostService: \${POST_SERVICE}
  chirrup.follow.v1.FollowService: \${FOLLOW_SERVICE}
  chirrup.feed.v1.FeedService: \${FEED_SERVICE}
cookies:
  access: { name: access, path: /, secure: false, sameSite: Lax, maxAgeSeconds: 600 }
  refresh: { name: refresh, path: /, secure: false, sameSite: Lax, maxAgeSeconds: 600 }
${more}`,
  });
  return {
    gateway,
    library,
    registry,
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      await library.close();
      descriptors.remove();
    },
  };
}
