/**
 * Sends what waits in the outbox. A message goes only after the channel's own yes: a crash may say it twice, never not
 * at all. Each channel goes its own way; a file stays until the last one has confirmed it.
 */
import { fileError } from "../system/file-error.ts";
import { removeRemains } from "../system/remains.ts";
import type { System } from "../system/system.ts";
import type { Channel } from "../types/channels.ts";
import { UserError } from "../types/errors.ts";
import { isoTime } from "../types/moment.ts";
import type { Config } from "../types/settings.ts";
import type { Attempt } from "./channels/channel.ts";
import { cleanerFor } from "./channels/clean.ts";
import { wayOf } from "./channels/index.ts";
import { createLanes } from "./lanes.ts";
import { excess, excessWithoutChannel, outboxDir, readOutbox, setAside, type Waiting } from "./outbox.ts";
import { openProgress } from "./progress.ts";
import { createQueue, type Turn } from "./queue.ts";
import { createTestMessages, type TestMessages } from "./test-message.ts";

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
   * Gives each channel `withinMs` at most, and ends early when the signal aborts. A channel that is still at work for
   * an earlier call begins afterwards; the others do not wait for it. Throws only what is a bug: what keeps a message
   * from being sent is in `errors`.
   * @param open keys of the problems that are open now; channels that forget what they are not told again hear of them.
   */
  deliver(
    config: Pick<Config, "channels" | "intervalSeconds"> & Partial<Pick<Config, "dashboardUrl">>,
    signal: AbortSignal,
    withinMs: number,
    open?: ReadonlySet<string>,
  ): Promise<Delivered>;
  /** Test messages, each through the channel's own lane. */
  readonly tests: TestMessages;
}

export const noChannel =
  "no channel is configured; set TELEGRAM_BOT_TOKEN and TELEGRAM_CHAT_ID in argus.env, or name channels in argus.json";

const mostWaiting = 500;
/** Without a channel, where nobody makes room: so many, all critical, and then the oldest of them are folded too. */
const mostWithoutChannel = 2000;

export function createDelivery(system: System, stateDir: string): Delivery {
  const { files, clock } = system;
  const notes: string[] = [];
  const note = (sentence: string): void => {
    // A full disk is met at every write.
    if (!notes.includes(sentence)) notes.push(sentence);
  };
  const progress = openProgress(files, stateDir, note);
  const serve = createQueue(system, stateDir, progress, note);
  const lanes = createLanes<{ sent: number; errors: ChannelError[] }>();
  removeRemains(files, outboxDir(stateDir));

  /** What there is to send, when what can be no message and what is too much has been taken out. */
  function tidy(
    names: readonly string[],
    problems: ReadonlySet<string>,
  ): { open: Waiting[]; stuck: string | null } {
    const { waiting, broken, unread } = readOutbox(files, stateDir);
    const stuck = broken.map(putAside).find((sentence) => sentence !== null) ?? null;
    progress.tidy(names, new Set([...waiting.map(({ file }) => file), ...unread]), problems);
    const over = waiting.filter(({ file }) => progress.isOver(file));
    progress.remove(over);
    const open = waiting.filter((each) => !over.includes(each));
    const gone =
      names.length === 0
        ? foldAway(excessWithoutChannel(open, mostWaiting, mostWithoutChannel), "no channel is configured")
        : // What a channel is about to confirm must not be folded into its digest meanwhile.
          foldAway(lanes.isIdle() ? excess(open, mostWaiting) : [], "they could not be delivered");
    return { open: open.filter((each) => !gone.includes(each)), stuck };
  }

  function putAside(path: string): string | null {
    try {
      note(`${path} is not a message and was set aside as ${setAside(files, path)}`);
      return null;
    } catch (error) {
      return sentenceOf(fileError("set aside", path, error));
    }
  }

  function foldAway(gone: readonly Waiting[], why: string): readonly Waiting[] {
    if (gone.length === 0 || !progress.foldAway(gone)) return [];
    const critical = gone.filter(({ message }) => message.severity === "critical").length;
    const worst = critical === 0 ? "none of them critical" : `${critical} of them critical`;
    note(
      `the outbox held more than ${critical === 0 ? mostWaiting : mostWithoutChannel} messages because ${why}; ${gone.length} of the oldest, ${worst}, will be told in a digest`,
    );
    return gone;
  }

  /** @returns the error as it is to be told, null when there is none. @param name null: of no channel. */
  function heard(name: string | null, trouble: Turn["trouble"]): ChannelError[] {
    const before = name === null ? progress.error() : progress.of(name).error;
    const news = (trouble?.text ?? null) !== (before?.text ?? null) || trouble?.kind !== before?.kind;
    // The words may change, such as how long it did not answer: it is the same time in which nothing arrives.
    const error = trouble === null ? null : { since: before?.since ?? isoTime(clock.now()), ...trouble };
    if (news && name === null) progress.rememberError(error);
    if (news && name !== null) progress.remember(name, { error });
    return trouble === null ? [] : [{ channel: name, text: trouble.text, news }];
  }

  const notOver = (all: readonly Waiting[]) => all.filter(({ file }) => !progress.isOver(file));

  async function run(channels: readonly Channel[], attempt: () => Attempt, open: ReadonlySet<string>) {
    const ways = channels.map((channel) => wayOf(channel));
    const names = ways.map(({ name }) => name);
    const first = ways.find(({ type }) => type === "relay")?.name ?? null;
    const { open: all, stuck } = tidy(names, open);
    let isLater = false;
    const entered = ways.map(async (way) => {
      // What became of it is known before this channel's next turn, however long another one takes.
      const work = async () => {
        const shared = { attempt: attempt(), names, first, open };
        const { sent, trouble } = await serve(
          way,
          isLater ? notOver(readOutbox(files, stateDir).waiting) : all,
          shared,
        );
        return { sent, errors: heard(way.name, trouble) };
      };
      return lanes.enter(way.name, work);
    });
    isLater = true;
    const served = await Promise.allSettled(entered);
    // A bug in one channel shows when the others have had their turn.
    const turns = served.flatMap((each) => {
      if (each.status === "rejected") throw each.reason;
      return each.value ?? [];
    });
    // Of very many only the first are read, and the others wait as well.
    const { waiting, unread } = readOutbox(files, stateDir);
    const left = notOver(waiting).length + unread.length;
    const general = ways.length === 0 && left > 0 ? noChannel : (stuck ?? progress.notRemoved());
    return {
      sent: turns.reduce((sum, each) => sum + each.sent, 0),
      waiting: left,
      errors: [
        ...heard(null, general === null ? null : { text: general }),
        ...turns.flatMap(({ errors }) => errors),
      ],
    };
  }

  return {
    tests: createTestMessages(system, stateDir, progress.of, lanes.between),
    async deliver({ channels, intervalSeconds, dashboardUrl = null }, signal, withinMs, open = new Set()) {
      const { http, run: program } = system;
      const means = { http, files, run: program, clock, clean: cleanerFor(channels) };
      const shared = { ...means, signal, intervalSeconds, dashboardUrl };
      const attempt = () => ({ ...shared, deadlineMs: clock.monotonicMs() + withinMs });
      try {
        return { ...(await run(channels, attempt, open)), notes: notes.splice(0) };
      } catch (error) {
        const text = sentenceOf(fileError("read", outboxDir(stateDir), error));
        return { sent: 0, waiting: 0, errors: heard(null, { text }), notes: notes.splice(0) };
      }
    },
  };
}

/** Passes on what is no sentence for people but a bug. */
function sentenceOf(error: Error): string {
  if (error instanceof UserError) return error.message;
  throw error;
}
