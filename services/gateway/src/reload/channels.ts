import type { Channel } from "@chirrup/grpc";
import { holdBack } from "../limits/hold-back.ts";

/** Connections to the services, one for each address, however many services are behind it. */
export interface Channels {
  open(address: string): Channel;
  /** Closes those that are not among `used`, when calls that are under way have had `afterMs`. */
  closeOthers(used: ReadonlySet<Channel>, afterMs: number): void;
  closeAll(): void;
}

export function createChannels(openOne: (address: string) => Channel): Channels {
  const channels = new Map<string, Channel>();
  return {
    open(address) {
      const present = channels.get(address);
      if (present !== undefined) return present;
      const channel = holdBack(openOne(address));
      channels.set(address, channel);
      return channel;
    },
    closeOthers(used, afterMs) {
      for (const [address, channel] of channels) {
        if (used.has(channel)) continue;
        channels.delete(address);
        setTimeout(() => channel.close(), afterMs).unref();
      }
    },
    closeAll() {
      for (const channel of channels.values()) channel.close();
    },
  };
}
