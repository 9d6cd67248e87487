import { setTimeout as delay } from "node:timers/promises";
import type { Connection } from "./http-connection.ts";

/** One answer of a steady load. */
export interface Answer {
  readonly status: number;
  /** From when it was due to its last byte: a request that had to wait for a connection waited too. */
  readonly ms: number;
}

const tickMs = 4;

/** Sends requests at a rate, whether or not those before were answered, until `untilMs` of performance.now(). */
export async function steadily(options: {
  perS: number;
  untilMs: number;
  connections: readonly Connection[];
  next: () => Buffer;
}): Promise<Answer[]> {
  const { perS, untilMs, connections, next } = options;
  const idle = [...connections];
  const due: number[] = [];
  const answers: Answer[] = [];
  const asked: Promise<void>[] = [];
  const startedMs = performance.now();
  let sent = 0;

  async function ask(connection: Connection, dueMs: number): Promise<void> {
    const status = await connection.ask(next());
    answers.push({ status, ms: performance.now() - dueMs });
    const waiting = due.shift();
    if (waiting === undefined) idle.push(connection);
    else await ask(connection, waiting);
  }

  for (;;) {
    const nowMs = performance.now();
    if (nowMs >= untilMs) break;
    for (; sent < ((nowMs - startedMs) / 1_000) * perS; sent++) {
      const connection = idle.shift();
      if (connection === undefined) due.push(nowMs);
      else asked.push(ask(connection, nowMs));
    }
    await delay(tickMs);
  }
  due.length = 0;
  await Promise.all(asked);
  return answers;
}
