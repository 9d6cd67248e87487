import { openChannel, serve, serviceOf } from "../src/index.ts";
import { answerOf, askPath, Bench, poured, pourPath } from "./service.ts";
import { runClient, runServer } from "./worker.ts";

const [role, port] = process.argv.slice(2);

if (role === "server") {
  const implementation = serviceOf(Bench, {
    ask: ({ count }) => answerOf(count),
    async *pour({ count }) {
      yield* poured(count);
    },
  });
  const server = await serve({ services: [implementation], host: "127.0.0.1", port: 0 });
  runServer(server.port);
} else {
  const channel = openChannel(`127.0.0.1:${port}`);
  runClient({
    ask: async (request) => (await channel.unary(askPath, request)).message,
    pour: (request) => channel.serverStream(pourPath, request),
  });
}
