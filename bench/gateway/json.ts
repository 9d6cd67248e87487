// CPU of one conversion of a feed page of 20 posts, by the gateway's compiled converters and by protobuf-es, in turns.
import { readFileSync } from "node:fs";
import {
  createFileRegistry,
  fromBinary,
  fromJson,
  toBinary,
  toJson,
  type DescMessage,
  type JsonValue,
} from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
// The converters are measured alone, which no process of the gateway can show.
// oxlint-disable no-restricted-imports
import { compileFromJson } from "../../services/gateway/src/json/compile-from-json.ts";
import { compileToJson } from "../../services/gateway/src/json/compile-to-json.ts";
import { parseJson } from "../../services/gateway/src/transcoding/json-text.ts";
import { createWireWriter } from "../../services/gateway/src/json/wire-writer.ts";
import { median, report, type Figure } from "../report.ts";

const rounds = process.argv.includes("--quick") ? 5 : 15;
const operations = 5_000;

const set = readFileSync(new URL("../../proto/gen/chirrup.binpb", import.meta.url));
const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, set));
const desc = registry.getMessage("chirrup.feed.v1.GetHomeFeedResponse") as DescMessage;
const page: JsonValue = {
  items: Array.from({ length: 20 }, (_, i) => ({
    post: {
      id: String(9_007_199_254_740_993n + BigInt(i)),
      authorId: "123456789012345678",
      content: `A post of the usual length, which is about a hundred characters, with an é in it and a number: ${i}`,
      createdAt: "2026-11-02T10:11:12.345Z",
      likeCount: "12",
      commentCount: "3",
    },
    author: { id: "123456789012345678", username: `user_${i}`, displayName: `User number ${i}` },
    liked: i % 2 === 0,
  })),
  nextCursor: "bmV4dC1wYWdlLWN1cnNvcg",
};
const bytes = toBinary(desc, fromJson(desc, page, { registry }));
const body = Buffer.from(JSON.stringify(page));
const write = compileToJson(desc, { registry });
const read = compileFromJson(desc, { registry });
const options = { registry, alwaysEmitImplicit: true };

const figures: Figure[] = [
  measure(
    "to_json_cpu_us",
    () => write(bytes),
    () => Buffer.from(JSON.stringify(toJson(desc, fromBinary(desc, bytes), options))),
  ),
  measure(
    "from_json_cpu_us",
    () => {
      const parsed = parseJson(body);
      const writer = createWireWriter(body.length + 256);
      if ("value" in parsed) read(parsed.value, writer);
      return writer.finish();
    },
    () => toBinary(desc, fromJson(desc, JSON.parse(body.toString()) as JsonValue, { registry })),
  ),
];
report("gateway-json", figures);

function measure(name: string, ours: () => unknown, theirs: () => unknown): Figure {
  const taken = { ours: [] as number[], theirs: [] as number[] };
  for (let round = 0; round <= rounds; round += 1) {
    const first = cpuUs(ours);
    const second = cpuUs(theirs);
    // The first round warms both.
    if (round === 0) continue;
    taken.ours.push(first);
    taken.theirs.push(second);
  }
  const value = median(taken.ours);
  const peerValue = median(taken.theirs);
  return { name, value, unit: "us", peer: "protobuf-es", peerValue, ratio: value / peerValue, aim: "" };
}

function cpuUs(work: () => unknown): number {
  const before = process.cpuUsage();
  for (let i = 0; i < operations; i += 1) work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / operations;
}
