/**
 * A bar on standard error that is redrawn in a terminal, and a line for every tenth without one.
 * Standard output stays free for what programs read.
 */
export interface ProgressBar {
  /** `done` of the total, with a short note ("1,240/s"). */
  update(done: number, note?: string): void;
  finish(note?: string): void;
}

const width = 28;
const redrawMs = 100;

export function createProgressBar(label: string, total: number): ProgressBar {
  const stream = process.stderr;
  const startedAt = performance.now();
  let drawnAt = 0;
  let tenth = 0;

  function line(done: number, note: string): string {
    const part = total === 0 ? 1 : Math.min(done / total, 1);
    const filled = Math.round(part * width);
    const bar = "█".repeat(filled) + "░".repeat(width - filled);
    return `${label.padEnd(10)} ${bar} ${String(Math.floor(part * 100)).padStart(3)} %  ${done.toLocaleString("en")}/${total.toLocaleString("en")}  ${note}`;
  }
  function rate(done: number): string {
    const elapsedS = (performance.now() - startedAt) / 1000;
    return elapsedS < 0.2 ? "" : `${Math.round(done / elapsedS).toLocaleString("en")}/s`;
  }
  return {
    update(done, note = rate(done)) {
      if (stream.isTTY) {
        if (performance.now() - drawnAt < redrawMs) return;
        drawnAt = performance.now();
        stream.write(`\r\x1b[2K${line(done, note)}`);
        return;
      }
      const now = total === 0 ? 10 : Math.floor((done / total) * 10);
      if (now <= tenth) return;
      tenth = now;
      stream.write(
        `${label}: ${now * 10} % (${done.toLocaleString("en")} of ${total.toLocaleString("en")}, ${note})\n`,
      );
    },
    finish(note = rate(total)) {
      if (stream.isTTY) stream.write(`\r\x1b[2K${line(total, note)}\n`);
      else if (tenth < 10) stream.write(`${label}: done (${total.toLocaleString("en")}, ${note})\n`);
    },
  };
}
