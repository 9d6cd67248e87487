/** Something that has to end in time. Its fields belong to the wheel. */
export interface Timed {
  /** By `performance.now()`; Infinity for none. */
  readonly deadlineAtMs: number;
  wheelNext: Timed | undefined;
  wheelPrevious: Timed | undefined;
  wheelSlot: number;
  onDeadline(): void;
}

const slotMs = 8;
const slotCount = 2_048;
/** A timer may not wait for longer than 2^31 ms; looking once a minute costs nothing. */
const maxWaitMs = 60_000;

/**
 * The deadlines of all calls of the process, in slots of 8 ms by the time they fall due.
 *
 * Why not a timer for each: nearly every call ends before its deadline, and making and clearing a timer costs as much
 * as framing the call. Here a call is linked in and out, and one timer waits for the earliest.
 */
const slots: (Timed | undefined)[] = Array.from({ length: slotCount });
let count = 0;
let timer: NodeJS.Timeout | undefined;
let timerAtMs = Number.POSITIVE_INFINITY;
/** Everything due before this slot has been looked at. */
let swept = slotOf(performance.now());

function slotOf(atMs: number): number {
  return Math.floor(atMs / slotMs);
}

/** Has `onDeadline` called within 8 ms of the deadline, unless `disarm` comes first. */
export function arm(timed: Timed): void {
  // One slot later, so that a slot that has begun is never missed.
  const slot = (slotOf(timed.deadlineAtMs) + 1) % slotCount;
  const first = slots[slot];
  timed.wheelSlot = slot;
  timed.wheelNext = first;
  timed.wheelPrevious = undefined;
  if (first !== undefined) first.wheelPrevious = timed;
  slots[slot] = timed;
  count++;
  if (timed.deadlineAtMs < timerAtMs) wakeAt(timed.deadlineAtMs);
}

export function disarm(timed: Timed): void {
  if (timed.wheelSlot < 0) return;
  const { wheelNext, wheelPrevious } = timed;
  if (wheelNext !== undefined) wheelNext.wheelPrevious = wheelPrevious;
  if (wheelPrevious === undefined) slots[timed.wheelSlot] = wheelNext;
  else wheelPrevious.wheelNext = wheelNext;
  timed.wheelSlot = -1;
  timed.wheelNext = undefined;
  timed.wheelPrevious = undefined;
  count--;
}

function wakeAt(atMs: number): void {
  if (timer !== undefined) clearTimeout(timer);
  timerAtMs = atMs;
  timer = setTimeout(sweep, Math.min(maxWaitMs, Math.max(1, atMs - performance.now() + slotMs)));
  // What waits for the call keeps the process alive, not its deadline.
  timer.unref();
}

function sweep(): void {
  timer = undefined;
  timerAtMs = Number.POSITIVE_INFINITY;
  const nowMs = performance.now();
  const current = slotOf(nowMs);
  // One that falls due may end others: they are found before the first is told.
  const due: Timed[] = [];
  for (let slot = Math.max(swept, current - slotCount + 1); slot <= current; slot++) {
    for (let timed = slots[slot % slotCount]; timed !== undefined; timed = timed.wheelNext) {
      if (timed.deadlineAtMs <= nowMs) due.push(timed);
    }
  }
  for (const timed of due) {
    if (timed.wheelSlot < 0) continue;
    disarm(timed);
    timed.onDeadline();
  }
  swept = current;
  if (count === 0) return;
  for (let ahead = 0; ahead < slotCount; ahead++) {
    if (slots[(current + ahead) % slotCount] === undefined) continue;
    return wakeAt(Math.max(nowMs, (current + ahead) * slotMs - slotMs));
  }
}
