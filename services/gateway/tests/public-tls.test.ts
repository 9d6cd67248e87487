import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { waitFor } from "@chirrup/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { holdPosts, startGateway, type TestGateway } from "./gateway.ts";
import { ask, openHttp2 } from "./http2-client.ts";

const program = "openssl";

/** A certificate for localhost that is its own authority. */
function issue(folder: string, name: string): void {
  execFileSync(
    program,
    [
      ..."req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 1 -addext".split(" "),
      "subjectAltName=DNS:localhost",
      "-subj",
      `/CN=${name}`,
      "-keyout",
      join(folder, "new.key"),
      "-out",
      join(folder, "new.crt"),
    ],
    { stdio: "ignore" },
  );
  for (const end of ["key", "crt"]) renameSync(join(folder, `new.${end}`), join(folder, `tls.${end}`));
}

describe("a public port with TLS", () => {
  let folder: string;
  let gateway: TestGateway;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "gateway-tls-"));
    issue(folder, "first");
    gateway = await startGateway({ env: { PUBLIC_TLS_DIR: folder, WATCH_MS: "20" } });
  });
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  const ca = (): string => readFileSync(join(folder, "tls.crt"), "utf8");
  const byHttp2 = async () => {
    const session = openHttp2(`https://localhost:${gateway.port}`, { ca: ca() });
    const answer = await ask(session, { ":path": "/nowhere" });
    const { alpnProtocol, encrypted } = session;
    const { subject } = (session.socket as TLSSocket).getPeerCertificate();
    session.destroy();
    return { status: answer.status, alpnProtocol, encrypted, name: subject.CN };
  };
  const byHttp1 = (ALPNProtocols?: string[]): Promise<{ status: number | undefined; version: string }> =>
    new Promise((resolve, reject) => {
      const options = { host: "localhost", port: gateway.port, path: "/nowhere", ca: ca() };
      const sent = request({ ...options, ...(ALPNProtocols && { ALPNProtocols }) }, (response) => {
        response.resume();
        resolve({ status: response.statusCode, version: response.httpVersion });
      });
      sent.on("error", reject);
      sent.end();
    });

  it("speaks HTTP/2 or HTTP/1.1, as ALPN agrees", async () => {
    expect(await byHttp2()).toMatchObject({ status: 404, alpnProtocol: "h2", encrypted: true });
    expect(await byHttp1(["http/1.1"])).toEqual({ status: 404, version: "1.1" });
    expect(await byHttp1()).toEqual({ status: 404, version: "1.1" });
  });

  it("answers nothing without TLS", async () => {
    await expect(gateway.ask("GET", "/nowhere")).rejects.toThrow("socket hang up");
    expect((await byHttp2()).status).toBe(404);
  });

  it("takes a renewed certificate, and no faulty one", async () => {
    expect((await byHttp2()).name).toBe("first");
    const key = readFileSync(join(folder, "tls.key"));
    issue(folder, "second");
    await waitFor(async () => (await byHttp2().catch(() => undefined))?.name === "second");
    expect(readFileSync(join(folder, "tls.key"))).not.toEqual(key);
  });

  it("answers what is in flight when it stops", async () => {
    const token = await gateway.issuer.token();
    const posts = holdPosts(gateway);
    const session = openHttp2(`https://localhost:${gateway.port}`, { ca: ca() });
    const inFlight = ask(session, { ":path": "/api/v1/posts/1", authorization: `Bearer ${token}` });
    await waitFor(() => posts.asked() === 1);
    const told = new Promise((resolve) => session.once("goaway", resolve));
    const stopped = gateway.stop();
    await told;
    posts.release();
    expect((await inFlight).status).toBe(200);
    await stopped;
  });
});
