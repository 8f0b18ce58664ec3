/** How delivery stands, for `argus status`, `argus doctor` and the cycle: read from what the deliverer has written. */
import { minute } from "../report/values.ts";
import type { Files } from "../system/system.ts";
import {
  DeliveryState,
  deliveryStatePath,
  noChannelState,
  noDeliveries,
  type Refused,
  type Trouble,
} from "./delivery-state.ts";
import { readOutbox } from "./outbox.ts";

export interface ChannelView {
  readonly name: string;
  /** Messages that it has not confirmed. */
  readonly waiting: number;
  /** Why, and since when. */
  readonly error: Trouble | null;
  readonly lastSentAt: string | null;
  /** Messages that it refused in every form in the last 24 hours, and whose file is still there; null: none. */
  readonly refused: RefusedView | null;
}

export interface RefusedView {
  readonly count: number;
  /** ISO 8601: the first of them. */
  readonly since: string;
  /** Why, and where it is kept: the newest. */
  readonly why: string;
  readonly path: string;
}

export interface OutboxView {
  /** Messages that not every channel has confirmed. */
  readonly waiting: number;
  /** ISO 8601; null when none waits. */
  readonly oldest: string | null;
  /** While there is no channel. */
  readonly error: { readonly text: string; readonly since: string } | null;
  /** In the order of the settings. */
  readonly channels: readonly ChannelView[];
}

/** For so long a refused message is counted, when nobody removes it. */
const refusedSeconds = 86_400;

/**
 * For `argus status` and `argus doctor`: changes nothing. Throws a WorkError when it cannot be read.
 * @param names of the configured channels.
 */
export function viewOutbox(
  files: Files,
  stateDir: string,
  names: readonly string[],
  nowMs: number,
): OutboxView {
  const { waiting, unread } = readOutbox(files, stateDir);
  const state = readDeliveries(files, stateDir);
  const folded = names.length === 0 ? state.folded : null;
  return {
    waiting: waiting.length + unread.length + (folded?.count ?? 0),
    oldest: folded?.since ?? waiting[0]?.message.createdAt ?? null,
    error: waiting.length === 0 ? null : state.error,
    channels: names.map((name) => {
      const { done, error, lastSentAt, refused, folded: untold } = state.channels[name] ?? noChannelState();
      const left = waiting.filter(({ file }) => !done.includes(file)).length;
      return {
        name,
        waiting: left + unread.length + (untold?.count ?? 0),
        error,
        lastSentAt,
        refused: refusedView(files, refused, nowMs),
      };
    }),
  };
}

/** Torn or not there: what waits can still be counted, and the next delivery sets it aside and says so. */
function readDeliveries(files: Files, stateDir: string): DeliveryState {
  const text = files.tryRead(deliveryStatePath(stateDir), "own");
  try {
    return DeliveryState.safeParse(JSON.parse(text ?? "")).data ?? noDeliveries();
  } catch {
    return noDeliveries();
  }
}

function refusedView(files: Files, all: readonly Refused[], nowMs: number): RefusedView | null {
  const kept = all.filter(
    ({ at, path }) => (nowMs - Date.parse(at)) / 1000 < refusedSeconds && files.stat(path) !== null,
  );
  const [first] = kept;
  const last = kept.at(-1);
  if (first === undefined || last === undefined) return null;
  return { count: kept.length, since: first.at, why: last.why, path: last.path };
}

/** From then on what may pass by itself does not, when the other channels work. */
const lastingSeconds = 900;

/** Channels through which alerts do not arrive, with the reason: the cycle makes a problem of it. */
export function failingChannels(
  files: Files,
  stateDir: string,
  { names, intervalSeconds, nowMs }: { names: readonly string[]; intervalSeconds: number; nowMs: number },
): { failingChannels: string[]; failingChannelDetail: string | null } {
  const { channels } = readDeliveries(files, stateDir);
  const states = names.map((name) => ({ name, ...(channels[name] ?? noChannelState()) }));
  const secondsSince = (iso: string): number => (nowMs - Date.parse(iso)) / 1000;
  const works = (name: string): boolean =>
    channels[name]?.lastSentAt !== null && channels[name]?.error === null;
  const failing = states.flatMap(({ name, error, refused }) => {
    const others = names.filter((other) => other !== name && channels[other] !== undefined);
    const isLasting =
      error !== null &&
      (error.kind === "later" || error.kind === undefined
        ? secondsSince(error.since) >= lastingSeconds && others.some(works)
        : true);
    if (isLasting) return [{ name, why: `${name} since ${minute(error.since)} UTC: ${error.text}` }];
    // A later message may be taken at once: two cycles see it all the same, so that people hear of the one that was not.
    const last = refused.at(-1);
    if (last === undefined || secondsSince(last.at) >= 2 * intervalSeconds) return [];
    return [
      { name, why: `${name} refused a message at ${minute(last.at)} UTC, kept as ${last.path}: ${last.why}` },
    ];
  });
  if (failing.length === 0) return { failingChannels: [], failingChannelDetail: null };
  return {
    failingChannels: failing.map(({ name }) => name),
    failingChannelDetail: failing
      .map(({ why }) => why)
      .join("; ")
      .slice(0, 1000),
  };
}
