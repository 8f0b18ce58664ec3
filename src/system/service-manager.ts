/**
 * What the service manager wants to hear of a service with Type=notify and WatchdogSec= (sd_notify(3),
 * sd_watchdog_enabled(3)). Node has no datagrams on unix sockets, so systemd-notify(1) says it: 5 to 8 ms each time.
 */
import { printable } from "./printable.ts";
import type { Run } from "./system.ts";

export interface ServiceManager {
  /** Between two feeds of the watchdog, in milliseconds; null: there is no watchdog. */
  readonly feedEveryMs: number | null;
  /** Once, when the service does its work. */
  ready(status: string): Promise<void>;
  /** @param status one line for `systemctl status`. */
  feed(status: string): Promise<void>;
  stopping(): Promise<void>;
}

/** What systemd puts into the environment. */
export interface NotifyEnvironment {
  readonly NOTIFY_SOCKET?: string | undefined;
  /** Microseconds. */
  readonly WATCHDOG_USEC?: string | undefined;
  readonly WATCHDOG_PID?: string | undefined;
}

/** @param onFault one sentence when something could not be said. */
export function createServiceManager(
  run: Run,
  environment: NotifyEnvironment,
  pid: number,
  onFault: (sentence: string) => void,
): ServiceManager {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: limit, WATCHDOG_PID: watched } = environment;
  const isMine = watched === undefined || watched === String(pid);
  const microseconds = isMine && /^\d{1,15}$/.test(limit ?? "") ? Number(limit) : 0;

  async function say(...words: string[]): Promise<void> {
    if (socket === undefined || socket === "") return;
    const result = await run("systemd-notify", words.map(printable), {
      timeoutMs: 5_000,
      notifySocket: socket,
    });
    if (result.exitCode === 0) return;
    const why = result.missing ? "it is not installed" : result.stderr.split("\n", 1)[0] || "it failed";
    onFault(`systemd-notify could not say ${words[0]}: ${why}`);
  }
  return {
    // A third: one feed that comes late, or is lost, does not end the service.
    feedEveryMs: socket === undefined || microseconds === 0 ? null : Math.max(1, microseconds / 3000),
    ready: (status) => say("READY=1", `STATUS=${status}`),
    feed: (status) => say("WATCHDOG=1", `STATUS=${status}`),
    stopping: () => say("STOPPING=1"),
  };
}
