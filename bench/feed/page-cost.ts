import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { NumberedGraph } from "../../apps/cli/src/seed/bulk/power-law.ts";
import { type Figure, median } from "../report.ts";
import { drawCurves, type Curve } from "./curves.ts";
import { cpuTimes, perRequest } from "./cpu.ts";
import { closedLoop, open, requestOf } from "./load.ts";
import { bodyOf, setStage, type Stage } from "./stage.ts";

const threshold = 200;
const celebrities = 64;
const fans = threshold + 10;
const pageSize = 20;

/** What each curve goes along. */
const follows = [10, 30, 100, 300, 1_000, 5_000];
const merged = [0, 1, 4, 16, 64];
const depths = [0, 10, 30, 60, 120, 240];

/** One place of a curve: who asks for which page. */
interface Place {
  readonly label: string;
  readonly x: number;
  readonly ask: Buffer;
  readonly costsUs: number[];
}

/**
 * What a page costs, over follows, celebrities followed and depth: CPU of all processes, in microseconds. The places are
 * measured in turns, several times, and the middle value counts: the platform is the same for all of them, and so are
 * the moments at which the machine is busy.
 */
export async function pageCosts(quick: boolean): Promise<Figure[]> {
  const pages = quick ? 200 : 1_000;
  const rounds = 5;
  await using stage = await setStage("--celebrity-threshold", String(threshold));
  const { graph, readerOf } = layOut();
  await stage.load(graph, graph.users * 4);
  await new Promise((resolve) => setTimeout(resolve, 12_000));

  const places: Place[] = [];
  for (const [label, over] of Object.entries({ follows, celebrities: merged, depth: depths })) {
    for (const x of over) {
      const [token = ""] = await stage.signIn([readerOf(label, x)]);
      const cursor = await cursorAt(stage, token, label === "depth" ? x : 0);
      const ask = requestOf("GET", `/api/v1/feed?page_size=${pageSize}&cursor=${cursor}`, token);
      places.push({ label, x, ask, costsUs: [] });
    }
  }
  for (const { ask } of places) await costOf(stage, ask, pages);
  for (let round = 0; round < rounds; round += 1) {
    for (const { ask, costsUs } of places) costsUs.push(await costOf(stage, ask, pages));
  }
  const curves: Curve[] = ["follows", "celebrities", "depth"].map((label) => ({
    label,
    points: places
      .filter((place) => place.label === label)
      .map(({ x, costsUs }): [number, number] => [x, median(costsUs)]),
  }));
  writeFileSync(fileURLToPath(new URL("page-cost.svg", import.meta.url)), drawCurves(curves));
  return curves.flatMap(({ label, points }) => {
    const [firstX = 0, firstCost = 1] = points[0] ?? [];
    return points.map(([x, cost]) => ({
      name: `page_cpu_us_${label}_${x}`,
      value: cost,
      unit: "µs",
      peer: `${label}_${firstX}`,
      peerValue: firstCost,
      ratio: cost / firstCost,
      aim: "flat or logarithmic",
    }));
  });
}

/**
 * Authors 0 to 5,063, of whom the first 64 are celebrities by their fans; behind them fans and readers. Reader n of
 * `follows` follows so many authors who are none, a reader of `celebrities` 100 of these and so many who are.
 */
function layOut(): { graph: NumberedGraph; readerOf: (label: string, x: number) => number } {
  const authors = celebrities + 5_000;
  const readersFrom = authors + fans;
  const wanted = [
    ...follows.map((count) => ({ key: `follows ${count}`, ordinary: count, famous: 0 })),
    ...merged.map((count) => ({ key: `celebrities ${count}`, ordinary: 100, famous: count })),
  ];
  const followers = Array.from({ length: readersFrom + wanted.length }, (): number[] => []);
  const follow = (reader: number, author: number): number | undefined => followers[author]?.push(reader);
  for (let author = 0; author < celebrities; author += 1) {
    for (let fan = 0; fan < fans; fan += 1) follow(authors + fan, author);
  }
  for (const [index, { ordinary, famous }] of wanted.entries()) {
    for (let author = 0; author < famous; author += 1) follow(readersFrom + index, author);
    for (let author = 0; author < ordinary; author += 1) follow(readersFrom + index, celebrities + author);
  }
  const edges = followers.reduce((sum, some) => sum + some.length, 0);
  return {
    graph: { users: followers.length, followers: followers.map((some) => Int32Array.from(some)), edges },
    readerOf(label, x) {
      const key = label === "depth" ? "follows 1000" : `${label} ${x}`;
      return readersFrom + wanted.findIndex((each) => each.key === key);
    },
  };
}

async function cursorAt(stage: Stage, token: string, depth: number): Promise<string> {
  await using line = await open(stage.port);
  let cursor = "";
  for (let page = 0; page < depth; page += 1) {
    const path = `/api/v1/feed?page_size=${pageSize}&cursor=${cursor}`;
    const { nextCursor } = JSON.parse(bodyOf(await line.ask(requestOf("GET", path, token)))) as {
      nextCursor: string;
    };
    if (nextCursor === "") throw new Error(`the feed ends at page ${page}`);
    cursor = nextCursor;
  }
  return cursor;
}

async function costOf({ port, parts }: Stage, ask: Buffer, pages: number): Promise<number> {
  const before = cpuTimes(parts);
  await closedLoop({ port, connections: 8, next: () => ({ kind: "home", bytes: ask }) }, pages);
  return perRequest(before, cpuTimes(parts), pages)["all"] ?? 0;
}
