// Waiting with a deadline. A deadline here is a bound for a broken program, not a measurement.

import os from 'node:os';

export const DEADLINE = 20_000;

// How many programs share a core: a deadline is for one that has a core of its own.
export const crowding = () => Math.max(1, os.loadavg()[0] / os.availableParallelism());

export class DeadlineError extends Error {}

export function within(promise, what, ms = DEADLINE) {
  const most = ms * crowding();
  let timer;
  const deadline = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new DeadlineError(`not within ${most} ms: ${what}`)), most);
  });
  return Promise.race([promise, deadline]).finally(() => clearTimeout(timer));
}

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Looks until `look` gives something true, and returns that.
export async function eventually(look, what, ms = DEADLINE) {
  const most = ms * crowding();
  const end = performance.now() + most;
  for (;;) {
    const seen = await look();
    if (seen) return seen;
    if (performance.now() > end) throw new DeadlineError(`not within ${most} ms: ${what}`);
    await pause(10);
  }
}
