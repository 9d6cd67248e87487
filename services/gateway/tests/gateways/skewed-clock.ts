/**
 * Sets a process's clock CLOCK_SKEW_MS off, as on a machine whose clock nobody sets. To be loaded before a program:
 * `node --import ./skewed-clock.ts …`. What Node itself takes from the system, such as timers, goes on as it was.
 */
const skewMs = Number(process.env["CLOCK_SKEW_MS"]);
const { now } = Date;
const sinceStart = performance.now.bind(performance);
Date.now = () => now() + skewMs;
performance.now = () => sinceStart() + Math.max(0, skewMs);
globalThis.Date = new Proxy(Date, {
  construct: (target, args: []) => (args.length === 0 ? new target(target.now()) : new target(...args)),
});
