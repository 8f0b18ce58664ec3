/**
 * The one place that talks to the tracker, after a cycle and never within one. What it is asked for stands in
 * `tickets.json` until the tracker has confirmed it; before it makes a ticket it looks whether one is open, so that a
 * crash or a time limit in between makes no second one.
 */
import type { System } from "../../system/system.ts";
import { isoTime, type Moment, secondsBetween } from "../../types/moment.ts";
import type { Problem } from "../../types/problem.ts";
import type { Config } from "../../types/settings.ts";
import type { Ticket, TicketEvent } from "../../types/ticket.ts";
import { openBook } from "./book.ts";
import { createFiling } from "./filing.ts";
import { findTracker, type Limits } from "./tracker.ts";

export type DeskConfig = Pick<Config, "settings" | "ticketRepeats">;

export interface TicketDesk {
  /** Whether there is a tool that files tickets. Starts nothing. @param note told once that there is none. */
  isOpen(config: DeskConfig, note: (sentence: string) => void): boolean;
  /** Does what is due. null: an earlier call is still at it. Throws only what is a bug, and when its state cannot be written. */
  settle(
    config: DeskConfig,
    problems: ReadonlyMap<string, Problem>,
    signal: AbortSignal,
    withinMs: number,
  ): Promise<Settled | null>;
  /** To be called when they stand in the registry. */
  recorded(events: readonly TicketEvent[]): void;
}

export interface Settled {
  /** For the registry. */
  readonly events: readonly TicketEvent[];
  /** What keeps the tracker from doing what it is asked for, when that is another sentence than before. */
  readonly trouble: string | null;
  /** What a person should know besides, one sentence each. */
  readonly notes: readonly string[];
}

/** For one call of the tool. */
const callMs = 15_000;

export function createTicketDesk(system: System, stateDir: string): TicketDesk {
  const { clock } = system;
  const notes: string[] = [];
  const note = (sentence: string): void => void notes.push(sentence);
  const book = openBook(system, stateDir, note);
  const filing = createFiling(book, clock, note);
  let busy = false;

  async function work(
    config: DeskConfig,
    problems: ReadonlyMap<string, Problem>,
    limits: () => Limits | null,
  ): Promise<string | null> {
    const { closeResolved } = config.settings.tickets;
    const nowMs = clock.now().wallMs;
    const isOver = (ticket: Ticket) => isResolved(ticket, problems, config.ticketRepeats, nowMs);
    if (book.now().missing !== null && findTracker(system, config.settings.tickets) !== null)
      book.change({ missing: null });
    book.takeRequests();
    book.observe(problems);
    if (closeResolved) for (const ticket of book.now().tickets.filter(isOver)) book.withdraw(ticket);
    const due = book.now().tickets.filter((each) => isDue(each, clock.now()));
    const wanted = due.filter((ticket) => ticket.wanted !== null);
    const over = due.filter((ticket) => ticket.wanted === null && isOver(ticket));
    const tracker = wanted.length + over.length > 0 ? findTracker(system, config.settings.tickets) : null;
    if (tracker !== null) {
      const error =
        (await filing.file(wanted, tracker, limits)) ??
        (await filing.close(over, tracker, limits, closeResolved));
      if (error !== null) return error;
    }
    // What failed before and is not due yet is still in trouble.
    const waitsAgain = book.now().tickets.some(({ tries }) => tries > 0);
    return waitsAgain ? (book.now().trouble?.text ?? null) : null;
  }

  return {
    isOpen({ settings: { tickets } }, tell) {
      const said = book.now().missing;
      const isHere = findTracker(system, tickets) !== null;
      const missing = isHere ? null : (tickets.tool ?? "bd or br");
      if (said === missing) return isHere;
      if (missing !== null)
        tell(`no tickets are filed: there is no ${missing} here; argus doctor says how to get them`);
      try {
        book.change({ missing });
      } catch {
        // Said once more in the next cycle, then: no reason to give up this one.
      }
      return isHere;
    },
    async settle(config, problems, signal, withinMs) {
      if (busy) return null;
      busy = true;
      const endMs = clock.monotonicMs() + withinMs;
      try {
        const text = await work(config, problems, () => {
          const leftMs = endMs - clock.monotonicMs();
          return signal.aborted || leftMs < 500 ? null : { signal, timeoutMs: Math.min(callMs, leftMs) };
        });
        const before = book.now().trouble?.text ?? null;
        if (text !== before)
          book.change({ trouble: text === null ? null : { text, since: isoTime(clock.now()) } });
        return {
          events: book.now().events,
          trouble: text === before ? null : text,
          notes: notes.splice(0),
        };
      } finally {
        busy = false;
      }
    },
    recorded(events) {
      const done = new Set(events);
      book.change({ events: book.now().events.filter((each) => !done.has(each)) });
    },
  };
}

/** Not one that keeps coming back: such a ticket is about that, and stays until it no longer does. */
function isResolved(
  { problem, resolvedAt }: Ticket,
  problems: ReadonlyMap<string, Problem>,
  { threshold, windowSeconds }: Config["ticketRepeats"],
  nowMs: number,
): boolean {
  if (resolvedAt === null) return false;
  const recent = (problems.get(problem)?.openings ?? []).filter(
    (opening) => Math.abs(nowMs - Date.parse(opening)) < windowSeconds * 1000,
  );
  return recent.length < threshold;
}

/** At once, and after failures once a minute, two, four, up to an hour. */
function isDue({ tries, lastTry }: Ticket, now: Moment): boolean {
  if (tries === 0 || lastTry === null) return true;
  return secondsBetween(lastTry, now) >= Math.min(3600, 60 * 2 ** (tries - 1));
}
