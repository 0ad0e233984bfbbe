// Waiting with a deadline. A deadline here is a bound for a broken program, not a measurement: generous.

export const DEADLINE = 20_000;

export class DeadlineError extends Error {}

export function within(promise, what, ms = DEADLINE) {
  let timer;
  const deadline = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new DeadlineError(`not within ${ms} ms: ${what}`)), ms);
  });
  return Promise.race([promise, deadline]).finally(() => clearTimeout(timer));
}

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Looks until `look` gives something true, and returns that.
export async function eventually(look, what, ms = DEADLINE) {
  const end = performance.now() + ms;
  for (;;) {
    const seen = await look();
    if (seen) return seen;
    if (performance.now() > end) throw new DeadlineError(`not within ${ms} ms: ${what}`);
    await pause(10);
  }
}
