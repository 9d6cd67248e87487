const units = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Milliseconds of "90s", "30m", "2h" or "1d"; an error that names the flag for anything else. */
export function durationMs(flag: string, text: string): number {
  const match = /^(\d{1,6})([smhd])$/.exec(text);
  const ms = Number(match?.[1]) * units[(match?.[2] ?? "s") as keyof typeof units];
  if (!(ms > 0)) throw new Error(`${flag} must be a time like 90s, 30m, 2h or 1d, not "${text}"`);
  return ms;
}
