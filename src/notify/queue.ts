/** One channel's turn: what it has not confirmed, in order and no faster than it takes them. */
import { fileError } from "../system/file-error.ts";
import { hostName } from "../system/host-name.ts";
import type { System } from "../system/system.ts";
import { isoTime, secondsBetween } from "../types/moment.ts";
import type { Attempt, Parcel, Sent } from "./channels/channel.ts";
import type { Way } from "./channels/index.ts";
import { keepRefused, keepRefusedText, outboxDir, type Waiting } from "./outbox.ts";
import { apart, parcelsOf } from "./parcels.ts";
import type { Progress } from "./progress.ts";

export interface Turn {
  /** Messages confirmed. */
  readonly sent: number;
  /** One sentence with the mend; null when nothing is wrong. */
  readonly error: string | null;
}

/** What all channels of one delivery share. */
export interface Shared {
  readonly attempt: Attempt;
  /** Names of all channels. */
  readonly names: readonly string[];
  /** The channel that is told summaries of the day before all others, and they only when it cannot; null: all are told. */
  readonly first: string | null;
  /** Keys of the problems that are open now. */
  readonly open: ReadonlySet<string>;
}

/** After attempts that came to nothing: 15 s, doubled each time, up to this. */
const longestBackoffSeconds = 120;
/** What holds is said again no more often than this. */
const refreshSeconds = 30;

export function createQueue(
  system: System,
  stateDir: string,
  progress: Progress,
  note: (sentence: string) => void,
) {
  const { files, clock } = system;
  const refreshedMs = new Map<string, number>();
  const host = hostName(files);

  return async (way: Way, all: readonly Waiting[], shared: Shared): Promise<Turn> => {
    const { attempt, names, open, first } = shared;
    const { done, folded, blocked, error } = progress.of(way.name);
    const before = error?.text ?? null;
    if (blocked !== null && secondsBetween(blocked.from, clock.now()) < blocked.seconds)
      return { sent: 0, error: before };
    const mine = all.filter(
      ({ file, message }) =>
        !done.includes(file) && (message.daily === undefined || isTurnOf(way, file, first)),
    );
    let sent = 0;
    const parcels = parcelsOf(mine, folded, host, clock.now());
    for (let number = 0; parcels.length > 0; number += 1) {
      if (number > 0) await clock.sleep(way.paceMs, attempt.signal);
      if (attempt.signal.aborted) return { sent, error: before };
      if (attempt.deadlineMs <= clock.monotonicMs()) return { sent, error: null };
      const [parcel] = parcels.splice(0, 1);
      if (parcel === undefined) break;
      const answer = await way.send(linked(parcel, attempt), progress.of(way.name), attempt);
      const of = mine.filter(({ file }) => parcel.files.includes(file));
      if (answer.kind === "later") {
        if (attempt.signal.aborted) return { sent, error: before };
        block(way.name, answer.blockedMs / 1000);
        return { sent, error: answer.error };
      }
      if (answer.kind === "sent") {
        confirmed(way.name, parcel, of, names, answer);
        sent += of.length;
      } else if (answer.of === "channel") return { sent, error: answer.error };
      else if (parcel.kind === "catch_up" && of.length > 1) parcels.unshift(...apart(of, host, clock.now()));
      else {
        const stuck = keep(way.name, parcel, of, answer.error);
        if (stuck !== null) return { sent, error: stuck };
      }
    }
    const troubled = progress.of(way.name).fellBack?.why ?? null;
    return { sent, error: (await sayAgain(way, attempt, open)) ?? troubled };
  };

  function isTurnOf(way: Way, file: string, first: string | null): boolean {
    return first === null || way.name === first || progress.of(first).done.includes(file);
  }

  function confirmed(
    name: string,
    { kind }: Parcel,
    of: readonly Waiting[],
    names: readonly string[],
    { memory, note: sentence, alone }: Extract<Sent, { kind: "sent" }>,
  ): void {
    // What is to be known of a message must not be forgotten by a crash that does not bring the message again.
    if (memory !== undefined) progress.remember(name, memory);
    for (const each of alone === true ? names : [name]) progress.finish(each, of);
    const said = kind === "digest" ? { folded: null } : {};
    const change = { lastSentAt: isoTime(clock.now()), blocked: null, failures: 0, ...said };
    progress.remember(name, change, true);
    if (sentence !== undefined) note(sentence);
  }

  /** @returns what stood in the way: then it is tried again. */
  function keep(
    name: string,
    { kind, id, text }: Parcel,
    of: readonly Waiting[],
    error: string,
  ): string | null {
    const { folded } = progress.of(name);
    try {
      for (const { path } of of)
        note(`${error}; the message is kept as ${keepRefused(files, path)} and not sent again`);
      if (kind === "digest" && folded !== null) {
        const path = keepRefusedText(files, stateDir, id.replace(/[^\w-]/g, ""), text);
        note(`${error}; the digest is kept as ${path} and not sent again`);
      }
    } catch (cause) {
      const { message } = fileError("keep a refused message in", outboxDir(stateDir), cause);
      return `${error}; ${message}`;
    }
    progress.finish(name, of);
    if (kind === "digest") progress.remember(name, { folded: null });
    return null;
  }

  function block(name: string, askedSeconds: number): void {
    const failures = progress.of(name).failures + 1;
    const own = Math.min(longestBackoffSeconds, 15 * 2 ** Math.min(10, failures - 1));
    const seconds = Math.max(askedSeconds, own);
    progress.remember(name, { failures, blocked: { from: clock.now(), seconds } });
  }

  /** @returns what stood in the way. */
  async function sayAgain(way: Way, attempt: Attempt, open: ReadonlySet<string>): Promise<string | null> {
    const nowMs = clock.monotonicMs();
    const lastMs = refreshedMs.get(way.name);
    if (lastMs !== undefined && nowMs - lastMs < refreshSeconds * 1000) return null;
    const answer = await way.refresh(open, progress.of(way.name), attempt);
    if (answer === null) return null;
    refreshedMs.set(way.name, nowMs);
    return answer.kind === "sent" || attempt.signal.aborted ? null : answer.error;
  }
}

function linked(parcel: Parcel, { dashboardUrl }: Attempt): Parcel {
  return dashboardUrl === null ? parcel : { ...parcel, text: `${parcel.text}\n${dashboardUrl}` };
}
