/** SIGTERM and SIGINT end the work instead of the process. */

/** For what is still under way when the end is asked for; systemd would send SIGKILL later. */
export const graceMs = 4000;

export interface Ending {
  readonly signal: AbortSignal;
  /** Resolves when the end is asked for. */
  readonly asked: Promise<void>;
  /** Resolves so long after that. */
  after(milliseconds: number): Promise<"ended">;
  /** The signals end the process again. */
  done(): void;
}

export function endOnSignal(): Ending {
  const controller = new AbortController();
  const { signal } = controller;
  const done = () => {
    process.removeListener("SIGTERM", abort);
    process.removeListener("SIGINT", abort);
  };
  function abort(): void {
    controller.abort();
    // A second one ends the process. Not before all have heard the first: whoever runs a program dies when nobody
    // else listens.
    setImmediate(done);
  }
  process.on("SIGTERM", abort);
  process.on("SIGINT", abort);
  const asked = new Promise<void>((resolve) =>
    signal.addEventListener("abort", () => resolve(), { once: true }),
  );
  return {
    signal,
    asked,
    after: async (milliseconds) => {
      await asked;
      return new Promise((resolve) => setTimeout(() => resolve("ended"), milliseconds).unref());
    },
    done,
  };
}
