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
  const abort = () => controller.abort();
  // Not once: whoever runs a program meanwhile looks whether somebody still listens, and else ends the process.
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
    done: () => {
      process.removeListener("SIGTERM", abort);
      process.removeListener("SIGINT", abort);
    },
  };
}
