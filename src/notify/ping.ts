/**
 * The dead man's switch: somebody else hears from each cycle, and tells people when it no longer does. The convention is
 * that of healthchecks.io: the URL itself for a good cycle, `/start` when it begins, `/fail` when it failed.
 */
import type { Http } from "../system/system.ts";

export type Ping = "start" | "success" | "fail";

export interface Pinger {
  /** Resolves when it was heard or given up; never rejects, and nobody need wait for it. */
  ping(what: Ping): Promise<void>;
}

const timeoutMs = 10_000;

/** @param url null: there is none. @param say one sentence when what stands in the way has changed; null: heard again. */
export function createPinger(http: Http, url: string | null, say: (sentence: string | null) => void): Pinger {
  let trouble: string | null = null;
  let turn: Promise<void> = Promise.resolve();

  async function send(base: string, what: Ping): Promise<void> {
    const error = await attempt(http, addressOf(base, what));
    if (error === trouble) return;
    trouble = error;
    say(error === null ? null : `the dead man's switch (ARGUS_PING_URL) was not reached: ${error}`);
  }

  return {
    ping(what) {
      if (url === null) return Promise.resolve();
      // One after the other: a late start must not come after the end of its cycle.
      turn = turn.then(() => send(url, what));
      return turn;
    },
  };
}

function addressOf(base: string, what: Ping): string {
  if (what === "success") return base;
  const url = new URL(base);
  url.pathname = `${url.pathname.replace(/\/+$/, "")}/${what}`;
  return url.href;
}

async function attempt(http: Http, url: string): Promise<string | null> {
  try {
    const { status } = await http.request({ url, timeoutMs, maxBodyBytes: 0 });
    return status >= 200 && status < 300 ? null : `it answered with status ${status}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
