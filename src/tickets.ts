/** Tickets, from what a cycle found to what stands in the tracker. */
import { type TicketNeeds, ticketProposals } from "./escalate/tickets.ts";
import type { TicketDesk } from "./notify/tickets/desk.ts";
import type { CycleRef } from "./record/records.ts";
import type { Registry } from "./record/registry.ts";
import type { System } from "./system/system.ts";
import { standingTickets } from "./system/ticket-book.ts";
import type { Proposal } from "./types/action.ts";
import { isoTime } from "./types/moment.ts";
import type { Config } from "./types/settings.ts";

export interface TicketParts {
  readonly system: System;
  readonly config: Config;
  readonly registry: Registry;
  readonly desk: TicketDesk;
}

/** What the executor is asked for: nothing about what has its ticket, and nothing at all without a tool. */
export async function ticketsFor(
  { system, config, registry, desk }: TicketParts,
  needs: Pick<TicketNeeds, "handled" | "advice">,
  signal: AbortSignal,
): Promise<Proposal[]> {
  if (!config.settings.tickets.enabled || needs.handled.length === 0) return [];
  const now = system.clock.now();
  const proposals = ticketProposals({
    ...needs,
    problems: registry.problems(),
    repeats: config.ticketRepeats,
    nowMs: now.wallMs,
  });
  if (proposals.length === 0) return [];
  const { standsFor } = standingTickets(system.files, config.stateDir, now);
  const missing = proposals.filter(({ problem, outage = "" }) => standsFor(problem, outage) === null);
  return missing.length > 0 && (await desk.isOpen(config, signal)) ? missing : [];
}

export interface TicketNews {
  /** Filed, found open, or closed. */
  readonly done: readonly string[];
  /** One sentence, when it is another one than the last time. */
  readonly trouble: string | null;
  readonly notes: readonly string[];
}

/** After a cycle: what the tracker has taken goes into the registry. null: an earlier call is still at it. */
export async function settleTickets(
  { system, config, registry, desk }: TicketParts,
  cycle: Pick<CycleRef, "id" | "host">,
  signal: AbortSignal,
  withinMs: number,
): Promise<TicketNews | null> {
  const settled = await desk.settle(config, registry.problems(), signal, withinMs);
  if (settled === null) return null;
  const { events, trouble, notes } = settled;
  if (events.length > 0) {
    registry.recordTickets(events, { ...cycle, ts: isoTime(system.clock.now()) });
    desk.recorded(events);
  }
  return {
    notes,
    done: events.map(({ what, id, problem }) => `ticket ${id} ${what} for ${problem}`),
    trouble,
  };
}
