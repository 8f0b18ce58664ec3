/** What goes on beside the cycles and never delays one: pings, the summary of the day, delivery, tickets. */
import type { Parts } from "../cycle.ts";
import { createDailySummary } from "../daily-summary.ts";
import { reasonOf } from "../execute/reason.ts";
import { createDelivery } from "../notify/deliver.ts";
import { createPinger, type Ping, type Pinger } from "../notify/ping.ts";
import { isOpen } from "../record/problems.ts";
import { hostName } from "../system/host-name.ts";
import type { Log } from "../system/log.ts";
import type { System } from "../system/system.ts";
import { settleTickets } from "../tickets.ts";
import type { Config } from "../types/settings.ts";
import { keepView } from "./executor-view.ts";
import { inForceAt } from "./parts.ts";

export interface Errands {
  ping(what: Ping): Promise<void>;
  /** Sends what waits in the outbox. Rejects only because of a bug. */
  send(): Promise<void>;
  /** Sends the test messages that somebody waits for. Rejects only because of a bug. @returns null: nobody waits. */
  test(): Promise<void> | null;
  /** After a cycle: the summary when it is due, delivery, tickets. Rejects only because of a bug. */
  run(): Promise<void>;
}

/**
 * @param parts as they are at the moment.
 * @param withinMs for one delivery, and for one round of tickets.
 * @param say told what became of messages besides, for whoever waits at a terminal.
 * @param againMs what a channel did not take is tried again after so long, whether a cycle comes or not; null: never.
 */
export function createErrands(
  parts: () => Parts,
  log: Log,
  signal: AbortSignal,
  withinMs: number,
  againMs: number | null = null,
  say: (sentence: string) => void = () => undefined,
): Errands {
  const { system, config } = parts();
  const delivery = createDelivery(system, config.stateDir);
  const daily = createDailySummary(system, config.stateDir);
  const pings = pingerFor(system, log);

  async function send(): Promise<void> {
    const { config: present, registry } = parts();
    const open = [...registry.problems().values()].filter(isOpen).map(({ key }) => key);
    const limitMs = againMs === null ? withinMs : Math.max(withinMs, relayMs(present));
    const { sent, waiting, errors, notes } = await delivery.deliver(present, signal, limitMs, new Set(open));
    if (sent > 0) log.info({ sent, waiting }, "alerts sent");
    for (const { channel, text, news } of errors) if (news) log.warn({ waiting, channel }, text);
    for (const note of notes) {
      log.warn(note);
      say(note);
    }
    if (waiting > 0 && present.channels.length > 0) sendAgain();
  }

  /** A channel that is back has what waits within a minute, also where the next cycle is five minutes away. */
  let isDue = false;
  function sendAgain(): void {
    if (againMs === null || isDue) return;
    isDue = true;
    void system.clock.sleep(againMs, signal).then(() => {
      isDue = false;
      if (!signal.aborted) send().catch((error: unknown) => log.error({ err: error }, "delivery failed"));
    });
  }

  async function summarise(): Promise<void> {
    const { config: present, executor } = parts();
    for (const note of await daily.tend(present, () => inForceAt(executor))) log.warn(note);
  }

  async function keep(): Promise<void> {
    const said = (sentence: string): void => log.warn(sentence);
    try {
      await keepView(parts(), said);
    } catch (error) {
      said(`what the executor remembers could not be kept for \`argus status\`: ${reasonOf(error)}`);
    }
  }

  async function settle(): Promise<void> {
    const { cycle } = parts().state.state();
    const host = hostName(system.files);
    const news = await settleTickets(parts, { id: cycle ?? "none", host }, signal, withinMs);
    for (const sentence of news?.done ?? []) log.info(sentence);
    if (news !== null && news.trouble !== null) log.warn(`tickets: ${news.trouble}`);
    for (const note of news?.notes ?? []) log.warn(note);
  }

  function test(): Promise<void> | null {
    const sending = delivery.tests.serve(parts().config, signal);
    if (sending === null) return null;
    return sending.then((notes) => {
      for (const note of notes) log.warn(note);
    });
  }

  return {
    ping: (what) => pings(parts().config, what),
    send,
    test,
    async run() {
      if (parts().config.dryRun) return;
      await Promise.all([summarise().then(send), settle(), keep()]);
    },
  };
}

/** The URL may be another one after a reload. */
function pingerFor({ http }: System, log: Log): (config: Config, what: Ping) => Promise<void> {
  let pinger: Pinger | null = null;
  let url: string | null = null;
  return async (config, what) => {
    if (config.dryRun) return;
    if (pinger === null || url !== config.pingUrl) {
      url = config.pingUrl;
      pinger = createPinger(http, url, (sentence) =>
        sentence === null ? log.info("the dead man's switch is reached again") : log.warn(sentence),
      );
    }
    await pinger.ping(what);
  };
}

/** A call of the relay may take longer than a round is given: in some rounds half of the time is kept for shorter forms. */
function relayMs({ channels }: Config): number {
  const seconds = channels.map((each) => (each.type === "relay" ? each.timeoutSeconds : 0));
  return 2000 * Math.max(0, ...seconds);
}
