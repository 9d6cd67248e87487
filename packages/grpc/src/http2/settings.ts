import type { HpackEncoder } from "../hpack/encoder.ts";
import { ConnectionFault } from "./fault.ts";
import { defaultMaxFrameLength, ErrorCode, maxWindow, readUint32, Setting } from "./protocol.ts";

/** What the peer asks of this end, by its SETTINGS. */
export interface PeerSettings {
  initialWindow: number;
  maxFrameLength: number;
  maxStreams: number;
  maxHeaderListSize: number;
}

/** Takes over a SETTINGS frame's payload; throws ConnectionFault for values out of range (RFC 9113, section 6.5.2). */
export function applySettings(
  peer: PeerSettings,
  encoder: HpackEncoder,
  buffer: Buffer,
  start: number,
  end: number,
): void {
  for (let at = start; at < end; at += 6) {
    const id = ((buffer[at] as number) << 8) | (buffer[at + 1] as number);
    const value = readUint32(buffer, at + 2);
    switch (id) {
      case Setting.HEADER_TABLE_SIZE:
        encoder.limitTable(value);
        break;
      case Setting.ENABLE_PUSH:
        if (value > 1) throw new ConnectionFault(ErrorCode.PROTOCOL_ERROR, "ENABLE_PUSH is 0 or 1");
        break;
      case Setting.MAX_CONCURRENT_STREAMS:
        peer.maxStreams = value;
        break;
      case Setting.INITIAL_WINDOW_SIZE:
        if (value > maxWindow) {
          throw new ConnectionFault(ErrorCode.FLOW_CONTROL_ERROR, "INITIAL_WINDOW_SIZE is too large");
        }
        peer.initialWindow = value;
        break;
      case Setting.MAX_FRAME_SIZE:
        if (value < defaultMaxFrameLength || value > 0xffffff) {
          throw new ConnectionFault(ErrorCode.PROTOCOL_ERROR, "MAX_FRAME_SIZE is out of range");
        }
        peer.maxFrameLength = value;
        break;
      case Setting.MAX_HEADER_LIST_SIZE:
        peer.maxHeaderListSize = value;
        break;
      default:
      // Unknown settings are passed over.
    }
  }
}
