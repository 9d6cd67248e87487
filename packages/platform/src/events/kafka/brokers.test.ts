import { describe, expect, it } from "vitest";
import { parseKafkaUrl } from "./brokers.ts";

describe("parseKafkaUrl", () => {
  it("reads brokers, TLS and credentials", () => {
    expect(parseKafkaUrl("kafka://a:9092,b-2.c:1")).toEqual({
      brokers: ["a:9092", "b-2.c:1"],
      tls: false,
      caFile: undefined,
      credentials: undefined,
    });
    expect(parseKafkaUrl("kafkas://chirrup:p%40ss%3F@a:9096?ca=/etc/ca.pem&mechanism=scram-sha-256")).toEqual(
      {
        brokers: ["a:9096"],
        tls: true,
        caFile: "/etc/ca.pem",
        credentials: { username: "chirrup", password: "p@ss?", mechanism: "SCRAM-SHA-256" },
      },
    );
    expect(parseKafkaUrl("kafka://u:p@a:1")?.credentials?.mechanism).toBe("SCRAM-SHA-512");
  });

  it.each([
    "a:9092",
    "kafka://",
    "kafka://a",
    "kafka://a:1,",
    "kafka://u@a:1",
    "kafkas://u:%zz@a:1",
    "kafkas://a:1?tls=no",
    "kafkas://u:p@a:1?mechanism=GSSAPI",
    "kafka://a:1?ca=/etc/ca.pem",
    "kafka://u:p@a:1?mechanism=PLAIN",
    "http://a:1",
  ])("refuses %s", (url) => expect(parseKafkaUrl(url)).toBeUndefined());
});
