const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** Asked to stop: the first signal lets the work take down what it set up, the second ends the process at once. */
export class Interrupt {
  readonly #controller = new AbortController();
  readonly #onFirst: () => void;
  #received: keyof typeof SIGNALS | undefined;

  constructor(onFirst: () => void) {
    this.#onFirst = onFirst;
    for (const name of Object.keys(SIGNALS) as (keyof typeof SIGNALS)[]) process.on(name, this.#handle);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Exit code that tells the signal; undefined while there was none. */
  get exitCode(): number | undefined {
    return this.#received === undefined ? undefined : SIGNALS[this.#received];
  }

  stop(): void {
    for (const name of Object.keys(SIGNALS) as (keyof typeof SIGNALS)[]) process.off(name, this.#handle);
  }

  /**
   * End the process by the signal itself, which shells show as the same exit code. Exiting would wait for a read that
   * never ends, such as that of a pipe.
   */
  end(): void {
    this.stop();
    process.kill(process.pid, this.#received);
  }

  readonly #handle = (name: NodeJS.Signals): void => {
    const again = this.#received !== undefined;
    this.#received = name as keyof typeof SIGNALS;
    if (again) return this.end();
    this.#onFirst();
    this.#controller.abort();
  };
}
