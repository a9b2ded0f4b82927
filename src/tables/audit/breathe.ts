/** How long work may go on before others get their turn. */
const TURN_MS = 200;

let last = 0;

/**
 * Let others have their turn, such as whoever listens for Ctrl-C, if that was long ago; then see whether to go on. What is
 * computed does not depend on it.
 */
export async function breathe(signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return;
  signal.throwIfAborted();
  if (performance.now() - last < TURN_MS) return;
  await new Promise<void>((resolve) => setTimeout(resolve, 0));
  last = performance.now();
  signal.throwIfAborted();
}
