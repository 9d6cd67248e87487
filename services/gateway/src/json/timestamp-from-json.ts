/** 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z. */
const minSeconds = -62_135_596_800;
const maxSeconds = 253_402_300_799;

const daysBefore: readonly number[] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
const zero = 0x30;

/**
 * Reads a time of RFC 3339 section 5.6, in upper case as the JSON mapping has it. Undefined for what is none, or a day that no
 * calendar has. By hand: a pattern with its groups and a Date took four times as long, and every post has a time.
 */
export function parseTimestamp(
  text: string,
): { readonly seconds: number; readonly nanos: number } | undefined {
  if (
    text.length < 20 ||
    text.charCodeAt(4) !== 0x2d ||
    text.charCodeAt(7) !== 0x2d ||
    text.charCodeAt(10) !== 0x54 ||
    text.charCodeAt(13) !== 0x3a ||
    text.charCodeAt(16) !== 0x3a
  ) {
    return undefined;
  }
  const year = digits(text, 0, 4);
  const month = digits(text, 5, 7);
  const day = digits(text, 8, 10);
  const hour = digits(text, 11, 13);
  const minute = digits(text, 14, 16);
  const second = digits(text, 17, 19);
  // A part that is no number is -1.
  if (year < 0 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return undefined;
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) return undefined;

  let at = 19;
  let nanos = 0;
  if (text.charCodeAt(at) === 0x2e) {
    const start = at + 1;
    at = start;
    while (isDigit(text.charCodeAt(at))) at += 1;
    if (at === start || at > start + 9) return undefined;
    nanos = digits(text, start, at) * 10 ** (start + 9 - at);
  }
  const offset = offsetSeconds(text, at);
  if (offset === undefined) return undefined;
  const seconds = daysSinceEpoch(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - offset;
  return seconds < minSeconds || seconds > maxSeconds ? undefined : { seconds, nanos };
}

/** Of "Z", "+01:00" or "-01:00" at the end of the text. */
function offsetSeconds(text: string, at: number): number | undefined {
  const sign = text.charCodeAt(at);
  if (sign === 0x5a) return text.length === at + 1 ? 0 : undefined;
  if ((sign !== 0x2b && sign !== 0x2d) || text.length !== at + 6 || text.charCodeAt(at + 3) !== 0x3a)
    return undefined;
  const hours = digits(text, at + 1, at + 3);
  const minutes = digits(text, at + 4, at + 6);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return undefined;
  return (hours * 3_600 + minutes * 60) * (sign === 0x2d ? -1 : 1);
}

function isDigit(code: number): boolean {
  return code >= zero && code <= zero + 9;
}

/** -1 when a character is no digit. */
function digits(text: string, start: number, end: number): number {
  let value = 0;
  for (let i = start; i < end; i += 1) {
    const code = text.charCodeAt(i);
    if (!isDigit(code)) return -1;
    value = value * 10 + code - zero;
  }
  return value;
}

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

function daysIn(year: number, month: number): number {
  if (month === 2) return isLeap(year) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** By the Gregorian calendar, from 1970-01-01 on; negative before. */
function daysSinceEpoch(year: number, month: number, day: number): number {
  const before = year - 1;
  const leaps = Math.floor(before / 4) - Math.floor(before / 100) + Math.floor(before / 400) - 477;
  const leapDay = month > 2 && isLeap(year) ? 1 : 0;
  return (year - 1970) * 365 + leaps + (daysBefore[month - 1] ?? 0) + leapDay + day - 1;
}
