// A process of its own, so that the clock of the reads does not wait for the flood. Takes its task as a message, floods,
// and answers with a FloodReport.
import { httpRequest, openConnection } from "./http-connection.ts";
import { steadily } from "./steadily.ts";

export interface FloodTask {
  readonly port: number;
  readonly perS: number;
  readonly seconds: number;
  readonly addresses: number;
  /** Where the sign-ins are sent. */
  readonly path: string;
  /** Bodies of the requests. */
  readonly signIns: readonly { readonly login: string; readonly password: string }[];
}

export interface FloodReport {
  readonly statuses: Readonly<Record<string, number>>;
  /** Of the generator, as a share of one core. */
  readonly cpuShare: number;
}

const ownNetwork = 2 ** 24;

process.once("message", (task: FloodTask) => {
  void flood(task).then((report) => process.send?.(report, () => process.disconnect?.()));
});

async function flood({ port, perS, seconds, addresses, path, signIns }: FloodTask): Promise<FloodReport> {
  const bodies = signIns.map((body) => httpRequest({ method: "POST", path, body }));
  const connections = await Promise.all(
    Array.from({ length: addresses }, (_, index) => openConnection(port, loopback(index))),
  );
  const cpuBefore = process.cpuUsage();
  let at = 0;
  const answers = await steadily({
    perS,
    untilMs: performance.now() + seconds * 1_000,
    connections,
    next: () => bodies[at++ % bodies.length] ?? Buffer.alloc(0),
  });
  const { user, system } = process.cpuUsage(cpuBefore);
  for (const connection of connections) connection.close();
  const statuses: Record<string, number> = {};
  for (const { status } of answers) statuses[status] = (statuses[status] ?? 0) + 1;
  return { statuses, cpuShare: (user + system) / 1e6 / seconds };
}

/** An address of 127.0.0.0/8, another for each index. */
function loopback(index: number): string {
  const host = (index * 65_537 + 258) % ownNetwork;
  return `127.${host >> 16}.${(host >> 8) & 255}.${host & 255}`;
}
