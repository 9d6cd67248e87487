const mechanisms = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] as const;

/** How Kafka's brokers are reached. */
export interface KafkaAddress {
  /** `host:port` of some of them; the others are learnt from these. */
  readonly brokers: string[];
  readonly tls: boolean;
  /** File with the authorities to trust (PEM) in place of the system's; only over TLS. */
  readonly caFile: string | undefined;
  readonly credentials:
    | {
        readonly username: string;
        readonly password: string;
        readonly mechanism: (typeof mechanisms)[number];
      }
    | undefined;
}

const kafkaUrl =
  /^kafka(s?):\/\/(?:([^\s:/@,]+):([^\s/@,]+)@)?([^\s:/@,?]+:\d{1,5}(?:,[^\s:/@,?]+:\d{1,5})*)\/?(?:\?(\S*))?$/;

/** Whether the URL is meant for Kafka, well-formed or not. */
export const isKafkaUrl = (url: string): boolean => /^kafkas?:/.test(url);

/** What the URLs of Kafka look like, for those who wrote another. */
export const kafkaUrlForm =
  "kafka[s]://[user:password@]host:port[,host:port…][?ca=file&mechanism=SCRAM-SHA-512]";

/**
 * Reads `kafka://host:port[,host:port…]`, or `kafkas://…` for TLS; with `user:password@` (percent-encoded) it
 * signs in by SASL. `?ca=` names a file of authorities, `?mechanism=` one of PLAIN, SCRAM-SHA-256 and
 * SCRAM-SHA-512, which is the default.
 *
 * @returns Undefined for any other text, and where a password would be sent in the clear.
 */
export function parseKafkaUrl(url: string): KafkaAddress | undefined {
  const [, secure, user, password, hosts, query = ""] = kafkaUrl.exec(url) ?? [];
  if (hosts === undefined) return undefined;
  const tls = secure === "s";
  const { ca, mechanism = "SCRAM-SHA-512", ...unknown } = Object.fromEntries(new URLSearchParams(query));
  const known = mechanisms.find((name) => name === mechanism.toUpperCase());
  if (known === undefined || Object.keys(unknown).length > 0) return undefined;
  if (!tls && (ca !== undefined || (known === "PLAIN" && user !== undefined))) return undefined;
  try {
    return {
      brokers: hosts.split(","),
      tls,
      caFile: ca,
      credentials:
        user === undefined || password === undefined
          ? undefined
          : { username: decodeURIComponent(user), password: decodeURIComponent(password), mechanism: known },
    };
  } catch {
    // A percent sign that begins nothing.
    return undefined;
  }
}
