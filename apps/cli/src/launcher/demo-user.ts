export const demoUsername = "demo";

/** Signs the demo user up through the public API; one that exists is left as it is. */
export async function ensureDemoUser(gatewayUrl: string, password: string): Promise<void> {
  const response = await fetch(`${gatewayUrl}/api/v1/register`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ username: demoUsername, email: "demo@chirrup.example", password }),
    signal: AbortSignal.timeout(10_000),
  });
  const text = await response.text();
  if (!response.ok && response.status !== 409) {
    throw new Error(`gateway: signing up the demo user answered ${response.status}: ${text}`);
  }
}
