/** A test host as its tests use it, whatever it is made of. */
import type { ExecOptions, ExecResult } from "./enter.ts";

export interface Machine {
  /** Runs a program as somebody logged in as root does: in a session, outside every service. */
  exec(argv: readonly string[], options?: ExecOptions): Promise<ExecResult>;
  /** Makes the folders above it too. */
  write(path: string, text: string, mode?: number): void;
  /** Throws when it cannot be read. */
  read(path: string): string;
  exists(path: string): boolean;
  /** What is in a folder; nothing when there is no such folder. */
  names(folder: string): string[];
  /** Writes /etc/systemd/system/NAME and reloads systemd. */
  unit(name: string, text: string): Promise<void>;
  /** Asks again and again until the answer is true; throws with `what` when the time is over. */
  waitFor(predicate: () => boolean | Promise<boolean>, timeoutMs: number, what: string): Promise<void>;
}
