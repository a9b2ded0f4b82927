const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** Asked to stop: the first signal lets the work take down what it set up, the second ends the process at once. */
export class Interrupt {
  readonly #controller = new AbortController();
  readonly #onFirst: () => void;
  #exitCode: number | undefined;

  constructor(onFirst: () => void) {
    this.#onFirst = onFirst;
    for (const name of Object.keys(SIGNALS) as (keyof typeof SIGNALS)[]) process.on(name, this.#handle);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Exit code that tells the signal; undefined while there was none. */
  get exitCode(): number | undefined {
    return this.#exitCode;
  }

  stop(): void {
    for (const name of Object.keys(SIGNALS) as (keyof typeof SIGNALS)[]) process.off(name, this.#handle);
  }

  readonly #handle = (name: NodeJS.Signals): void => {
    const code = SIGNALS[name as keyof typeof SIGNALS];
    if (this.#exitCode !== undefined) process.exit(code);
    this.#exitCode = code;
    this.#onFirst();
    this.#controller.abort();
  };
}
