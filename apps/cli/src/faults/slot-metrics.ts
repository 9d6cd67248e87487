import type { DatabaseName } from "../launcher/databases.ts";
import type { State } from "../launcher/state.ts";

/** What a service's metrics say of its outbox's slot, as whoever watches the platform would see it. */
export async function slotMetric(
  state: State,
  service: DatabaseName,
  name: "lag_bytes" | "active" | "lost",
): Promise<number | undefined> {
  const readyUrl = state.parts.find((part) => part.name === service)?.readyUrl ?? "";
  const text = await (await fetch(new URL("/metrics", readyUrl))).text();
  const line = new RegExp(`^chirrup_outbox_slot_${name}\\{.*slot="chirrup_${service}".*\\} (\\S+)$`, "m");
  const value = line.exec(text)?.[1];
  return value === undefined ? undefined : Number(value);
}
