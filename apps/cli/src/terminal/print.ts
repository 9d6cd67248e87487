import { styleText } from "node:util";

type Style = Parameters<typeof styleText>[0];

/** Colour only where a person looks: styleText heeds NO_COLOR and whether the stream is a terminal. */
export function paint(style: Style, text: string, stream: NodeJS.WriteStream = process.stdout): string {
  return styleText(style, text, { stream, validateStream: true });
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
