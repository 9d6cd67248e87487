/** The longest timeout that the header can say (eight digits) in milliseconds is above what timers can wait for. */
const units: readonly (readonly [unit: string, ms: number])[] = [
  ["m", 1],
  ["S", 1_000],
  ["M", 60_000],
  ["H", 3_600_000],
];

const msOfUnit: Readonly<Record<string, number>> = {
  n: 1e-6,
  u: 1e-3,
  ...Object.fromEntries(units),
};

const maxDigits = 8;
const pattern = /^(\d{1,8})([HMSmun])$/;

/** `grpc-timeout` of a timeout in milliseconds, rounded up to what the header can say. */
export function encodeTimeout(timeoutMs: number): string {
  for (const [unit, ms] of units) {
    const count = Math.ceil(timeoutMs / ms);
    if (count < 10 ** maxDigits) return `${count}${unit}`;
  }
  return `${10 ** maxDigits - 1}H`;
}

/** Milliseconds of a `grpc-timeout`; undefined for what is none. */
export function decodeTimeout(text: string): number | undefined {
  const match = pattern.exec(text);
  if (match === null) return undefined;
  return Number(match[1]) * (msOfUnit[match[2] ?? ""] ?? 0);
}
