import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { waitFor } from "@chirrup/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chirrup, statusOf } from "./support/chirrup.ts";

let home: string;

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), "chirrup-launcher-"));
});

afterAll(async () => {
  await chirrup(home, "down");
  rmSync(home, { recursive: true, force: true });
});

/** Nobody may be there to collect an orphan's exit code: a zombie is as gone as it gets. */
const gone = (pid: number): boolean => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).startsWith("Z");
  } catch {
    return true;
  }
};

describe("chirrup", () => {
  it(
    "starts, tells its state, stops without a trace, and finds its data again",
    { timeout: 120_000 },
    async () => {
      const before = await chirrup(home, "status", "--json");
      expect(before).toMatchObject({ code: 1, stdout: '{"ready":false}\n' });

      const up = await chirrup(home, "up", "--detach", "--port", "0", "--json");
      expect(up.code, up.stderr).toBe(0);
      const status = JSON.parse(up.stdout) as Awaited<ReturnType<typeof statusOf>>;
      expect(status).toMatchObject({ ready: true, profile: "embedded" });
      expect(status.gatewayUrl).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
      const names = status.parts?.map(({ name }) => name).toSorted();
      expect(names).toEqual(
        [
          "feed",
          "follow",
          "gateway",
          "post",
          "postgres",
          "redis",
          "redis-events",
          "relay",
          "user",
        ].toSorted(),
      );

      const again = await chirrup(home, "up", "--port", "0");
      expect(again.code).toBe(0);
      expect(again.stdout).toContain("runs already");

      const account = { username: "keeper", email: "keeper@example.com", password: "kept over a restart" };
      const post = (path: string, body: unknown, url = status.gatewayUrl): Promise<Response> =>
        fetch(`${url}${path}`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify(body),
        });
      expect((await post("/api/v1/register", account)).status).toBe(200);

      const down = await chirrup(home, "down");
      expect(down.code, down.stderr).toBe(0);
      for (const { name, pid } of status.parts ?? []) expect(gone(pid ?? 0), `${name} is gone`).toBe(true);

      const second = await chirrup(home, "up", "--detach", "--port", "0", "--json");
      const { gatewayUrl } = JSON.parse(second.stdout) as Awaited<ReturnType<typeof statusOf>>;
      const login = { login: account.username, password: account.password };
      expect((await post("/api/v1/login", login, gatewayUrl)).status).toBe(200);
    },
  );

  it("cleans up after a launcher that was killed", { timeout: 120_000 }, async () => {
    const { parts } = await statusOf(home);
    const state = await chirrup(home, "status", "--json");
    expect(state.code).toBe(0);
    const { launcher } = JSON.parse(readFileSync(join(home, "state.json"), "utf8")) as {
      launcher: { pid: number };
    };
    process.kill(launcher.pid, "SIGKILL");
    await waitFor(() => gone(launcher.pid));
    expect((await chirrup(home, "status", "--json")).stdout).toBe('{"ready":false}\n');
    expect((await chirrup(home, "down")).code).toBe(0);
    for (const { name, pid } of parts ?? []) expect(gone(pid ?? 0), `${name} is gone`).toBe(true);
  });

  it("says which port is in use and how to take another", async () => {
    const blocker = createServer();
    const port = await new Promise<number>((resolve) => {
      blocker.listen(0, "127.0.0.1", () => resolve((blocker.address() as { port: number }).port));
    });
    try {
      const result = await chirrup(home, "up", "--port", String(port));
      expect(result.code).toBe(1);
      expect(result.stderr).toContain(`port ${port} of 127.0.0.1 is in use`);
      expect(result.stderr).toContain("--port");
    } finally {
      blocker.close();
    }
  });

  it("refuses flags that make no sense, by name", async () => {
    const result = await chirrup(home, "up", "--port", "many");
    expect(result.code).toBe(1);
    expect(result.stderr).toContain("--port must be a whole number");
  });
});
