/** How far each channel is with the outbox, in memory and in `delivery.json`. */
import { fileError } from "../system/file-error.ts";
import { stringify } from "../system/printable.ts";
import { redactDeep } from "../system/redact/redact.ts";
import { createStore, replaceOwn } from "../system/store.ts";
import type { Files } from "../system/system.ts";
import {
  type ChannelState,
  DeliveryState,
  deliveryStatePath,
  mostUnheard,
  noChannelState,
  noDeliveries,
} from "./delivery-state.ts";
import { fold } from "./digest.ts";
import type { Waiting } from "./outbox.ts";

export interface Progress {
  of(channel: string): ChannelState;
  /**
   * From now on these are the channels. Forgets others, and files that are no longer there.
   * @param open keys of the problems that are open now: one that comes to others has not heard of them.
   */
  tidy(channels: readonly string[], files: ReadonlySet<string>, open: ReadonlySet<string>): void;
  /** On disk when it returns, unless it is something that may be forgotten. */
  remember(channel: string, change: Partial<ChannelState>, mayBeForgotten?: true): void;
  /** From now on this channel has nothing to do with these files. The files go when that is so for every channel. */
  finish(channel: string, waiting: readonly Waiting[]): void;
  /**
   * The same for every channel that has not confirmed them; what they said goes into its digest, in the same moment.
   * While there is no channel it goes into the digest of those that will come.
   * @returns false when that could not be written: then they stay.
   */
  foldAway(waiting: readonly Waiting[]): boolean;
  /** Whether every channel has confirmed it. */
  isOver(file: string): boolean;
  remove(waiting: readonly Waiting[]): void;
  /** What stood in the way of a removal since the last time this was asked: such files are not sent again. */
  notRemoved(): string | null;
  error(): DeliveryState["error"];
  rememberError(error: DeliveryState["error"]): void;
}

export function openProgress(files: Files, stateDir: string, note: (sentence: string) => void): Progress {
  const path = deliveryStatePath(stateDir);
  let state = createStore({ files, path, schema: DeliveryState, empty: noDeliveries, note }).load();

  const textOf = (value: DeliveryState): string => `${stringify(redactDeep(value))}\n`;
  let written = textOf(state);
  let stuck: string | null = null;
  let configured: readonly string[] = [];

  /** @returns whether it is on disk; what is not stays in memory. */
  function save(next: DeliveryState, durable: boolean): boolean {
    state = next;
    const text = textOf(state);
    if (text === written) return true;
    try {
      replaceOwn(files, path, text, note, { durable });
      written = text;
      return true;
    } catch (error) {
      note(fileError("write", path, error).message);
      return false;
    }
  }

  const of = (channel: string): ChannelState => state.channels[channel] ?? noChannelState();

  function changed(changes: ReadonlyMap<string, Partial<ChannelState>>): DeliveryState {
    const channels = { ...state.channels };
    for (const [name, change] of changes) channels[name] = { ...of(name), ...change };
    return { ...state, channels };
  }

  /** @param gone files that are no longer there. */
  function without(gone: ReadonlySet<string>): DeliveryState {
    const channels = Object.entries(state.channels).map(([name, each]): [string, ChannelState] => [
      name,
      { ...each, done: each.done.filter((file) => !gone.has(file)) },
    ]);
    return { ...state, channels: Object.fromEntries(channels) };
  }

  function remove(waiting: readonly Waiting[]): void {
    for (const { path: each } of waiting) {
      try {
        files.remove(each);
      } catch (error) {
        stuck ??= fileError("remove the delivered message", each, error).message;
      }
    }
  }

  return {
    of,
    remember: (channel, change, mayBeForgotten) =>
      void save(changed(new Map([[channel, change]])), mayBeForgotten !== true),
    tidy(channels, present, open) {
      configured = channels;
      const known = Object.values(state.channels).flatMap(({ done }) => done);
      save(among(without(new Set(known.filter((file) => !present.has(file)))), channels, open), false);
    },
    finish(channel, waiting) {
      const others = configured.filter((name) => name !== channel);
      const last = waiting.filter(({ file }) => others.every((name) => of(name).done.includes(file)));
      // Between the channel's yes and this a crash makes it say the message twice: nothing slow may stand here. What
      // a power cut takes back of an unsynced file is said again too, and never lost.
      const rest = waiting.filter((each) => !last.includes(each));
      if (rest.length > 0) markDone(channel, rest, false);
      remove(last);
      if (stuck !== null) return markDone(channel, last, false);
      // A later message may get the name of one that is gone. What is written next writes this too.
      state = without(new Set(last.map(({ file }) => file)));
    },
    foldAway(waiting) {
      const before = state;
      const all = waiting.map(({ message }) => message);
      const changes = configured.map((name): [string, Partial<ChannelState>] => {
        const { done, folded } = of(name);
        const untold = waiting.filter(({ file }) => !done.includes(file));
        const messages = untold.map(({ message }) => message);
        return [name, { done: [...done, ...untold.map(({ file }) => file)], folded: fold(folded, messages) }];
      });
      const folded = configured.length === 0 ? fold(state.folded, all) : state.folded;
      if (save({ ...changed(new Map(changes)), folded }, true)) {
        remove(waiting);
        return true;
      }
      state = before;
      return false;
    },
    isOver: (file) => configured.length > 0 && configured.every((name) => of(name).done.includes(file)),
    remove,
    notRemoved() {
      const sentence = stuck;
      stuck = null;
      return sentence;
    },
    error: () => state.error,
    rememberError: (error) => void save({ ...state, error }, true),
  };

  /** What no channel has told waits for those that come. */
  function among(all: DeliveryState, names: readonly string[], open: ReadonlySet<string>): DeliveryState {
    const known = Object.keys(all.channels);
    const kept = Object.entries(all.channels).filter(([name]) => names.includes(name));
    if (names.length === 0) {
      const untold = Object.values(all.channels).flatMap(({ folded }) => folded ?? []);
      const most = untold.sort((a, b) => b.count - a.count)[0];
      return { ...all, channels: {}, folded: all.folded ?? most ?? null };
    }
    const unheard = known.length === 0 ? [] : [...open].slice(-mostUnheard);
    const added = names
      .filter((name) => !known.includes(name))
      .map((name): [string, ChannelState] => [name, { ...noChannelState(), folded: all.folded, unheard }]);
    return { ...all, channels: Object.fromEntries([...kept, ...added]), folded: null };
  }

  function markDone(channel: string, waiting: readonly Waiting[], durable: boolean): void {
    const done = [...new Set([...of(channel).done, ...waiting.map(({ file }) => file)])];
    save(changed(new Map([[channel, { done }]])), durable);
  }
}
