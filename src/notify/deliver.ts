/** Sends what waits in the outbox. A file goes only after Telegram's own yes: a crash may say it twice, never not at all. */
import { fileError } from "../system/file-error.ts";
import { createStore } from "../system/store.ts";
import type { System } from "../system/system.ts";
import { isoTime, type Moment, secondsBetween } from "../types/moment.ts";
import type { Config } from "../types/settings.ts";
import { DeliveryState, deliveryStatePath, noDeliveries } from "./delivery-state.ts";
import { excess, readOutbox, setAside, type Waiting } from "./outbox.ts";
import { type Account, type Attempt, type Sent, sendText } from "./telegram.ts";

export interface Delivered {
  readonly sent: number;
  readonly waiting: number;
  /** One sentence with the mend; null when nothing is wrong. */
  readonly error: string | null;
  /** Whether the sentence is another one than after the delivery before: an error is said once, not every cycle. */
  readonly news: boolean;
  /** What a person should know besides: messages set aside, or dropped because too many waited. */
  readonly notes: readonly string[];
}

export interface Delivery {
  /**
   * Takes no longer than `withinMs` and ends early when the signal aborts. A second call waits for the first one.
   * Throws only what is a bug: what keeps a message from being sent is in `error`.
   */
  deliver(config: Pick<Config, "telegram">, signal: AbortSignal, withinMs: number): Promise<Delivered>;
}

const mostWaiting = 500;
/** Without a channel they are for `argus status` alone. */
const mostWithoutChannel = 50;
/** About one message a second to the same chat is what Telegram allows. */
const paceMs = 1000;
/** From this age on a message says when it was written. */
const lateSeconds = 600;

export function createDelivery(system: System, stateDir: string): Delivery {
  const { files, clock } = system;
  const notes: string[] = [];
  const note = (sentence: string): void => void notes.push(sentence);
  const store = createStore({
    files,
    path: deliveryStatePath(stateDir),
    schema: DeliveryState,
    empty: noDeliveries,
    note,
  });
  let state = store.load();
  /** Sent, but their files could not be removed: not to be sent again every cycle from a read-only disk. */
  const done = new Set<string>();
  let turn: Promise<unknown> = Promise.resolve();

  function remember(change: Partial<DeliveryState>): void {
    state = { ...state, ...change };
    try {
      store.save(state);
    } catch (error) {
      note(fileError("write", deliveryStatePath(stateDir), error).message);
    }
  }

  function tidy(most: number): Waiting[] {
    const { waiting, broken } = readOutbox(files, stateDir);
    for (const path of broken)
      note(`${path} is not a message and was set aside as ${setAside(files, path, "corrupt")}`);
    const channelless = most === mostWithoutChannel;
    const gone = channelless ? waiting.slice(0, Math.max(0, waiting.length - most)) : excess(waiting, most);
    if (gone.length === 0) return waiting;
    // The count first: a crash in between tells of too many dropped, never of too few.
    if (!channelless) remember({ dropped: state.dropped + gone.length });
    for (const { path } of gone) files.remove(path);
    const why = channelless ? "no channel is configured" : "nothing could be delivered";
    note(
      `the outbox held more than ${most} messages because ${why}; ${gone.length} of the oldest were dropped`,
    );
    return waiting.filter((each) => !gone.includes(each));
  }

  async function run(telegram: Account | null, attempt: Attempt): Promise<Omit<Delivered, "news" | "notes">> {
    const all = tidy(telegram === null ? mostWithoutChannel : mostWaiting);
    const waiting = all.filter(({ path }) => !done.has(path));
    if (waiting.length === 0)
      return { sent: 0, waiting: all.length, error: all.length === 0 ? null : (state.error?.text ?? null) };
    if (telegram === null) {
      const error = "no channel is configured; set TELEGRAM_BOT_TOKEN and TELEGRAM_CHAT_ID in argus.env";
      return { sent: 0, waiting: waiting.length, error };
    }
    const blocked = state.blockedUntil;
    if (blocked !== null && secondsBetween(blocked.from, clock.now()) < blocked.seconds) {
      return { sent: 0, waiting: waiting.length, error: state.error?.text ?? null };
    }
    return sendAll(telegram, waiting, attempt);
  }

  async function sendAll(
    telegram: Account,
    waiting: readonly Waiting[],
    attempt: Attempt,
  ): Promise<Omit<Delivered, "news" | "notes">> {
    let sent = 0;
    let left = waiting.length;
    const stop = (error: string | null) => ({ sent, waiting: left, error });
    const queue = [...(state.dropped > 0 ? [null] : []), ...waiting];
    for (const [index, each] of queue.entries()) {
      if (index > 0) await clock.sleep(paceMs, attempt.signal);
      if (attempt.signal.aborted) return stop(state.error?.text ?? null);
      if (attempt.deadlineMs <= clock.monotonicMs()) return stop(null);
      const text = each === null ? droppedText(state.dropped) : textOf(each, clock.now());
      const answer = await sendText(telegram, chatOf(telegram), text, attempt);
      switch (answer.kind) {
        case "sent":
          confirmed(telegram, answer);
          if (each === null) remember({ dropped: 0 });
          else {
            sent += 1;
            left -= 1;
            const error = removed(each.path);
            if (error !== null) return stop(error);
          }
          break;
        case "later":
          if (answer.blockedMs > 0)
            remember({ blockedUntil: { from: clock.now(), seconds: answer.blockedMs / 1000 } });
          return stop(attempt.signal.aborted ? (state.error?.text ?? null) : answer.error);
        case "refused":
          if (answer.of === "channel" || each === null) return stop(answer.error);
          left -= 1;
          note(
            `${answer.error}; the message is kept as ${setAside(files, each.path, "refused")} and not sent again`,
          );
      }
    }
    return stop(null);
  }

  const chatOf = ({ chatId }: Account): string =>
    state.movedTo?.from === chatId ? state.movedTo.to : chatId;

  function confirmed({ chatId }: Account, sent: Extract<Sent, { kind: "sent" }>): void {
    const moved = sent.chatId !== chatId && state.movedTo?.to !== sent.chatId;
    if (moved) note(`the chat ${chatId} is now ${sent.chatId}; put that into TELEGRAM_CHAT_ID in argus.env`);
    remember({
      lastSentAt: isoTime(clock.now()),
      blockedUntil: null,
      ...(moved ? { movedTo: { from: chatId, to: sent.chatId } } : {}),
    });
  }

  function removed(path: string): string | null {
    try {
      files.remove(path);
      return null;
    } catch (error) {
      done.add(path);
      return fileError("remove the delivered message", path, error).message;
    }
  }

  return {
    deliver({ telegram }, signal, withinMs) {
      const mine = turn.then(async (): Promise<Delivered> => {
        const deadlineMs = clock.monotonicMs() + withinMs;
        const delivered = await run(telegram, { http: system.http, clock, signal, deadlineMs });
        const news = delivered.error !== (state.error?.text ?? null);
        if (news) {
          const { error } = delivered;
          remember({ error: error === null ? null : { text: error, since: isoTime(clock.now()) } });
        }
        return { ...delivered, news, notes: notes.splice(0) };
      });
      turn = mine.catch(() => undefined);
      return mine;
    },
  };
}

function textOf({ message }: Waiting, now: Moment): string {
  const ageSeconds = (now.wallMs - Date.parse(message.createdAt)) / 1000;
  if (!(ageSeconds > lateSeconds)) return message.text;
  return `(delivered late, written ${message.createdAt.slice(0, 16).replace("T", " ")} UTC)\n${message.text}`;
}

function droppedText(count: number): string {
  return `Argus: ${count} older message${count === 1 ? " was" : "s were"} dropped, because nothing could be delivered for long and more than ${mostWaiting} waited. None of them was critical. argus problems lists what happened.`;
}
