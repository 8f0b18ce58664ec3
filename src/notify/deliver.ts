/**
 * Sends what waits in the outbox. A message goes only after the channel's own yes: a crash may say it twice, never not
 * at all. Each channel goes its own way; a file stays until the last one has confirmed it.
 */
import type { System } from "../system/system.ts";
import type { Channel } from "../types/channels.ts";
import { isoTime } from "../types/moment.ts";
import type { Config } from "../types/settings.ts";
import type { Attempt } from "./channels/channel.ts";
import { wayOf } from "./channels/index.ts";
import { excess, readOutbox, setAside, type Waiting } from "./outbox.ts";
import { openProgress } from "./progress.ts";
import { createQueue } from "./queue.ts";

export interface Delivered {
  /** Messages that a channel has confirmed, in this delivery. */
  readonly sent: number;
  /** Messages that not every channel has confirmed. */
  readonly waiting: number;
  /** A sentence with the mend for each channel that does not work. */
  readonly errors: readonly ChannelError[];
  /** What a person should know besides: messages set aside, or folded into a digest because too many waited. */
  readonly notes: readonly string[];
}

export interface ChannelError {
  /** null: of none; there is no channel, or the outbox itself is in trouble. */
  readonly channel: string | null;
  readonly text: string;
  /** Whether it is another one than after the delivery before: an error is said once, not every cycle. */
  readonly news: boolean;
}

export interface Delivery {
  /**
   * Takes no longer than `withinMs` and ends early when the signal aborts. A second call waits for the first one.
   * Throws only what is a bug: what keeps a message from being sent is in `errors`.
   * @param open keys of the problems that are open now; channels that forget what they are not told again hear of them.
   */
  deliver(
    config: Pick<Config, "channels" | "intervalSeconds"> & Partial<Pick<Config, "dashboardUrl">>,
    signal: AbortSignal,
    withinMs: number,
    open?: ReadonlySet<string>,
  ): Promise<Delivered>;
}

export const noChannel =
  "no channel is configured; set TELEGRAM_BOT_TOKEN and TELEGRAM_CHAT_ID in argus.env, or name channels in argus.json";

const mostWaiting = 500;
/** Without a channel they are for `argus status` alone. */
const mostWithoutChannel = 50;
export function createDelivery(system: System, stateDir: string): Delivery {
  const { files, clock } = system;
  const notes: string[] = [];
  const note = (sentence: string): void => void notes.push(sentence);
  const progress = openProgress(files, stateDir, note);
  const serve = createQueue(system, progress, note);
  let turn: Promise<unknown> = Promise.resolve();

  /** What there is to send, when what can be no message and what is too much has been taken out. */
  function tidy(names: readonly string[]): Waiting[] {
    const { waiting, broken } = readOutbox(files, stateDir);
    for (const path of broken) note(`${path} is not a message and was set aside as ${setAside(files, path)}`);
    progress.tidy(names, new Set(waiting.map(({ file }) => file)));
    const over = waiting.filter(({ file }) => isOver(names, file));
    progress.remove(over);
    const open = waiting.filter((each) => !over.includes(each));
    const gone = names.length === 0 ? surplus(open, mostWithoutChannel) : excess(open, mostWaiting);
    if (gone.length === 0) return open;
    if (names.length === 0) {
      progress.remove(gone);
      note(
        `the outbox held more than ${mostWithoutChannel} messages because no channel is configured; ${gone.length} of the oldest were dropped`,
      );
    } else {
      progress.foldAway(gone, names);
      note(
        `the outbox held more than ${mostWaiting} messages because they could not be delivered; ${gone.length} of the oldest, none of them critical, will be told in a digest`,
      );
    }
    return open.filter((each) => !gone.includes(each));
  }

  const surplus = (open: readonly Waiting[], most: number) => open.slice(0, Math.max(0, open.length - most));

  const isOver = (names: readonly string[], file: string): boolean =>
    names.length > 0 && names.every((name) => progress.of(name).done.includes(file));

  /** @returns the error as it is to be told, null when there is none. @param name null: of no channel. */
  function heard(name: string | null, text: string | null): ChannelError[] {
    const before = (name === null ? progress.error() : progress.of(name).error)?.text ?? null;
    const news = text !== before;
    const error = text === null ? null : { text, since: isoTime(clock.now()) };
    if (news && name === null) progress.rememberError(error);
    if (news && name !== null) progress.remember(name, { error });
    return text === null ? [] : [{ channel: name, text, news }];
  }

  async function run(channels: readonly Channel[], attempt: Attempt, open: ReadonlySet<string>) {
    const ways = channels.map((channel) => wayOf(channel));
    const names = ways.map(({ name }) => name);
    const all = tidy(names);
    const first = ways.find(({ type }) => type === "relay")?.name ?? null;
    const shared = { attempt, names, first, open };
    const served = await Promise.all(
      ways.map(async (way) => ({ ...(await serve(way, all, shared)), name: way.name })),
    );
    const general = ways.length === 0 && all.length > 0 ? noChannel : progress.notRemoved();
    return {
      sent: served.reduce((sum, each) => sum + each.sent, 0),
      waiting: all.filter(({ path, file }) => !isOver(names, file) && files.stat(path) !== null).length,
      errors: [...heard(null, general), ...served.flatMap(({ name, error }) => heard(name, error))],
    };
  }

  return {
    deliver({ channels, intervalSeconds, dashboardUrl = null }, signal, withinMs, open = new Set()) {
      const mine = turn.then(async (): Promise<Delivered> => {
        const deadlineMs = clock.monotonicMs() + withinMs;
        const attempt = {
          http: system.http,
          files,
          run: system.run,
          clock,
          signal,
          deadlineMs,
          intervalSeconds,
          dashboardUrl,
        };
        const delivered = await run(channels, attempt, open);
        return { ...delivered, notes: notes.splice(0) };
      });
      turn = mine.catch(() => undefined);
      return mine;
    },
  };
}
