/** One channel's turn: what it has not confirmed, in order and no faster than it takes them. */
import { fileError } from "../system/file-error.ts";
import { hostName } from "../system/host-name.ts";
import type { System } from "../system/system.ts";
import { isoTime, secondsBetween } from "../types/moment.ts";
import type { Attempt, Parcel, Sent } from "./channels/channel.ts";
import type { Way } from "./channels/index.ts";
import { mostRefused, type Trouble } from "./delivery-state.ts";
import { inShorterForms } from "./forms.ts";
import { keepRefused, keepRefusedText, outboxDir, type Waiting } from "./outbox.ts";
import { apart, parcelsOf } from "./parcels.ts";
import type { Progress } from "./progress.ts";
import { alertedIn, heardDigest, heardParts, keysOf, unheardAfter } from "./unheard.ts";

export interface Turn {
  /** Messages confirmed. */
  readonly sent: number;
  /** One sentence with the fix; null when nothing is wrong. */
  readonly trouble: Pick<Trouble, "text" | "kind"> | null;
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
/** Attempts in a row that came to nothing, after which it may be the message that is the fault. */
const failuresOfOne = 3;

type Refusal = Extract<Sent, { kind: "refused" }>;

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
    const { blocked, error: before } = progress.of(way.name);
    if (blocked !== null && secondsBetween(blocked.from, clock.now()) < blocked.seconds)
      return { sent: 0, trouble: before };
    /** Of this turn, sent or not: what cannot be kept aside must not be met twice. */
    const handled = new Set<string>();
    let { said, parcels } = contents(way, all, handled, first);
    let sent = 0;
    /** Stands until something is taken: a turn in which nothing was sent knows nothing better. */
    let trouble: Turn["trouble"] = before;
    for (let number = 0; parcels.length > 0; number += 1) {
      if (number > 0) await clock.sleep(way.paceMs, attempt.signal);
      if (isOver(attempt)) return { sent, trouble };
      const [parcel] = parcels.splice(0, 1);
      if (parcel === undefined) break;
      const of = said.filter(({ file }) => parcel.files.includes(file));
      const isBundle = parcel.kind === "catch_up" && of.length > 1;
      const answer = isBundle ? await asIs(way, parcel, attempt) : await inSomeForm(way, parcel, attempt);
      if (attempt.signal.aborted && answer.kind !== "sent") return { sent, trouble };
      if (isBundle && mayBeTheMessage(way, answer)) {
        parcels.unshift(...apart(of, host, clock.now()));
        continue;
      }
      if (answer.kind === "later") {
        block(way.name, answer.blockedMs / 1000);
        return { sent, trouble: { text: answer.error, kind: "later" } };
      }
      if (answer.kind === "refused" && answer.of === "channel")
        return { sent, trouble: { text: answer.error, kind: "refused" } };
      // Two in a row in every form: then it is the channel, and what it would take on another day is not given up.
      if (answer.kind === "refused" && trouble?.kind === "kept" && answer.problems === undefined)
        return {
          sent,
          trouble: {
            text: `${answer.error}, and no shorter form passes; messages wait until it takes one`,
            kind: "kept",
          },
        };
      for (const file of parcel.files) handled.add(file);
      if (answer.kind === "sent") {
        confirmed(way.name, parcel, of, names, answer);
        sent += of.length;
        trouble = null;
      } else {
        trouble = { text: keep(way.name, parcel, of, answer), kind: "kept" };
        // It does not hear of the end of what it has not heard of.
        const withDigest = parcel.kind !== "digest" && parcels.some(({ kind }) => kind === "digest");
        ({ said, parcels } = contents(way, all, handled, first, withDigest));
      }
    }
    const again = await sayAgain(way, attempt, open);
    if (again === "said") trouble = trouble?.kind === "kept" ? trouble : null;
    else if (again !== null) trouble = again;
    const { fellBack } = progress.of(way.name);
    return { sent, trouble: fellBack ? { text: fellBack.why, kind: "later" } : trouble };
  };

  function contents(
    way: Way,
    all: readonly Waiting[],
    handled: Set<string>,
    first: string | null,
    withDigest = true,
  ): { said: Waiting[]; parcels: Parcel[] } {
    const { done, folded, unheard } = progress.of(way.name);
    const mine = all.filter(
      ({ file, message }) =>
        !handled.has(file) &&
        !done.includes(file) &&
        (message.daily === undefined || isTurnOf(way, file, first)),
    );
    const { said, silent } = heardParts(mine, unheard);
    for (const { file } of silent) handled.add(file);
    if (silent.length > 0) progress.finish(way.name, silent);
    const digest = heardDigest(folded, unheard);
    if (folded !== null && digest === null) progress.remember(way.name, { folded: null });
    return { said, parcels: parcelsOf(said, withDigest ? digest : null, host, clock.now()) };
  }

  function isOver({ signal, deadlineMs }: Attempt): boolean {
    return signal.aborted || deadlineMs <= clock.monotonicMs();
  }

  function asIs(way: Way, parcel: Parcel, attempt: Attempt): Promise<Sent> {
    return way.send(linked(parcel, attempt), progress.of(way.name), within(way, attempt));
  }

  async function inSomeForm(way: Way, parcel: Parcel, attempt: Attempt): Promise<Sent> {
    const answer = await asIs(way, parcel, attempt);
    if (way.ownForms || !mayBeTheMessage(way, answer)) return answer;
    const send = async (form: Parcel): Promise<Sent | null> => {
      await clock.sleep(way.paceMs, attempt.signal);
      return isOver(attempt) ? null : way.send(form, progress.of(way.name), within(way, attempt));
    };
    return inShorterForms(parcel, answer, send, (each) => mayBeTheMessage(way, each));
  }

  /**
   * A message at which the other side hangs would use up every turn: half of the time is left for its shorter forms. In
   * every other turn only, so that what is slow, not stuck, passes as well.
   */
  function within(way: Way, attempt: Attempt): Attempt {
    const { failures } = progress.of(way.name);
    if (failures < failuresOfOne || failures % 2 !== failuresOfOne % 2) return attempt;
    return { ...attempt, deadlineMs: (clock.monotonicMs() + attempt.deadlineMs) / 2 };
  }

  function mayBeTheMessage(way: Way, answer: Sent): boolean {
    if (answer.kind === "refused") return answer.of === "message";
    return (
      answer.kind === "later" && answer.heard === true && progress.of(way.name).failures >= failuresOfOne
    );
  }

  function isTurnOf(way: Way, file: string, first: string | null): boolean {
    return first === null || way.name === first || progress.of(first).done.includes(file);
  }

  function confirmed(
    name: string,
    { kind, notes }: Parcel,
    of: readonly Waiting[],
    names: readonly string[],
    { memory, note: sentence, alone }: Extract<Sent, { kind: "sent" }>,
  ): void {
    // What is to be known of a message must not be forgotten by a crash that does not bring the message again.
    if (memory !== undefined) progress.remember(name, memory);
    const told = alone === true ? names : [name];
    const heard = [...keysOf(notes, "firing"), ...of.flatMap(({ message }) => alertedIn(message))];
    for (const each of told) {
      const { unheard } = progress.of(each);
      if (heard.some((key) => unheard.includes(key)))
        progress.remember(each, { unheard: unheardAfter(unheard, { heard }) });
      progress.finish(each, of);
    }
    const said = kind === "digest" ? { folded: null } : {};
    const change = { lastSentAt: isoTime(clock.now()), blocked: null, failures: 0, ...said };
    progress.remember(name, change, true);
    if (sentence !== undefined) note(sentence);
  }

  /** @returns what stands in the way; also that it could not be kept, so that it is tried again. */
  function keep(name: string, { kind, id, text, notes }: Parcel, of: readonly Waiting[], refusal: Refusal) {
    const { error, memory, problems } = refusal;
    const { folded, unheard, refused } = progress.of(name);
    const paths: string[] = [];
    try {
      for (const { path } of of) {
        paths.push(keepRefused(files, path));
        note(`${error}; the message is kept as ${paths.at(-1)} and not sent again`);
      }
      if (kind === "digest" && folded !== null) {
        paths.push(keepRefusedText(files, stateDir, id.replace(/[^\w-]/g, ""), text));
        note(`${error}; the digest is kept as ${paths.at(-1)} and not sent again`);
      }
    } catch (cause) {
      const { message } = fileError("keep a refused message in", outboxDir(stateDir), cause);
      return `${error}; ${message}`;
    }
    const alerted = [...keysOf(notes, "firing"), ...of.flatMap(({ message }) => alertedIn(message))];
    const lost = problems ?? alerted;
    const heard = alerted.filter((key) => !lost.includes(key));
    const at = isoTime(clock.now());
    const before = refused.filter(({ path }) => !paths.includes(path));
    const all = [...before, ...paths.map((path) => ({ at, path, why: error }))].slice(-mostRefused);
    // Before the files go: a crash between the two brings the message again, and it is kept as the same file.
    progress.remember(name, {
      ...memory,
      refused: all,
      unheard: unheardAfter(unheard, { heard, refused: lost }),
      ...(kind === "digest" ? { folded: null } : {}),
    });
    progress.finish(name, of);
    return heard.length === 0
      ? `${error}, and no shorter form passed`
      : `${error}, and ${lost.length} of its problems passed in no form`;
  }

  function block(name: string, askedSeconds: number): void {
    const failures = progress.of(name).failures + 1;
    const own = Math.min(longestBackoffSeconds, 15 * 2 ** Math.min(10, failures - 1));
    const seconds = Math.max(askedSeconds, own);
    progress.remember(name, { failures, blocked: { from: clock.now(), seconds } });
  }

  /** @returns what stood in the way; null: there was nothing to say, or not yet. */
  async function sayAgain(way: Way, attempt: Attempt, open: ReadonlySet<string>) {
    const nowMs = clock.monotonicMs();
    const lastMs = refreshedMs.get(way.name);
    if (lastMs !== undefined && nowMs - lastMs < refreshSeconds * 1000) return null;
    const answer = await way.refresh(open, progress.of(way.name), attempt);
    if (answer === null) return null;
    refreshedMs.set(way.name, nowMs);
    if (answer.kind === "sent") return "said" as const;
    return attempt.signal.aborted ? null : { text: answer.error, kind: answer.kind };
  }
}

function linked(parcel: Parcel, { dashboardUrl }: Attempt): Parcel {
  return dashboardUrl === null ? parcel : { ...parcel, text: `${parcel.text}\n${dashboardUrl}` };
}
