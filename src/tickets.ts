/** Tickets, from what a cycle found to what stands in the tracker. */

import type { Handled } from "./escalate/alerts.ts";
import type { HandOffReader, Look } from "./escalate/hand-off-report.ts";
import { notedTimes, type TicketNeeds, ticketProposals } from "./escalate/tickets.ts";
import type { TicketDesk } from "./notify/tickets/desk.ts";
import type { CycleRef } from "./record/records.ts";
import type { Registry } from "./record/registry.ts";
import type { System } from "./system/system.ts";
import { standingTickets } from "./system/ticket-book.ts";
import type { Proposal } from "./types/action.ts";
import type { HandOffReport } from "./types/hand-off.ts";
import { isoTime } from "./types/moment.ts";
import type { Config } from "./types/settings.ts";

export interface TicketParts {
  readonly system: System;
  readonly config: Config;
  readonly registry: Registry;
  readonly desk: TicketDesk;
  readonly handOffs: HandOffReader;
  readonly notes: string[];
}

/** What the executor is asked for: nothing about what has its ticket, and nothing at all without a tool. */
export function ticketsFor(
  { system, config, registry, desk, handOffs, notes }: TicketParts,
  {
    handled,
    advice,
    news,
  }: Pick<TicketNeeds, "handled" | "advice"> & {
    /** Of coding agents, read in this cycle: what stands is given them as well. */
    readonly news: readonly HandOffReport[];
  },
  look: Omit<Look, "handled">,
): Proposal[] {
  if (!config.settings.tickets.enabled || handled.length === 0) return [];
  const now = system.clock.now();
  const { standsFor } = standingTickets(system.files, config.stateDir, now);
  const problems = registry.problems();
  const stands = (problem: string) => standsFor(problem, problems.get(problem)?.openedAt ?? "") !== null;
  const isReported = (key: string) => stands(key) && news.some(({ problem }) => problem === key);
  const missing = ticketProposals({
    handled: handled.filter(({ finding: { key } }) => !stands(key) || isReported(key)),
    isReported,
    advice,
    problems,
    reportOn: (problem, since) => handOffs.reportOn(problem, since, { ...look, handled }),
    repeats: config.ticketRepeats,
    nowMs: now.wallMs,
  });
  return missing.length > 0 && desk.isOpen(config, (sentence) => notes.push(sentence)) ? missing : [];
}

/** Keys of observations that were noted so often that a ticket would be due, where no tracker takes one. */
export function notedWithoutTracker(
  { config, desk, notes }: Pick<TicketParts, "config" | "desk" | "notes">,
  handled: readonly Handled[],
): Set<string> {
  const due = handled.filter((each) => notedTimes(each) >= config.ticketRepeats.threshold);
  if (
    due.length === 0 ||
    (config.settings.tickets.enabled && desk.isOpen(config, (sentence) => notes.push(sentence)))
  )
    return new Set();
  return new Set(due.map(({ finding }) => finding.key));
}

export interface TicketNews {
  /** Filed, found open, given a report, or closed. */
  readonly done: readonly string[];
  /** One sentence, when it is another one than the last time. */
  readonly trouble: string | null;
  readonly notes: readonly string[];
}

/**
 * After a cycle: what the tracker has taken goes into the registry. null: an earlier call is still at it.
 * @param parts asked again at the end: the settings, and with them the registry, may have been read anew meanwhile.
 */
export async function settleTickets(
  parts: () => Pick<TicketParts, "system" | "config" | "registry" | "desk">,
  cycle: Pick<CycleRef, "id" | "host">,
  signal: AbortSignal,
  withinMs: number,
): Promise<TicketNews | null> {
  const { system, config, registry, desk } = parts();
  const settled = await desk.settle(config, registry.problems(), signal, withinMs);
  if (settled === null) return null;
  const { events, trouble, notes } = settled;
  if (events.length > 0) {
    parts().registry.recordTickets(events, { ...cycle, ts: isoTime(system.clock.now()) });
    desk.recorded(events);
  }
  return {
    notes,
    done: events.map(({ what, id, problem }) => `ticket ${id} ${what} for ${problem}`),
    trouble,
  };
}
