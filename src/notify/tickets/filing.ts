/** Files what is wanted and closes what is over, and writes each step down before the next one. */
import type { Clock } from "../../system/system.ts";
import { secondsBetween } from "../../types/moment.ts";
import type { Ticket, TicketEvent, TicketRequest } from "../../types/ticket.ts";
import { type Issue, isAbout } from "./answers.ts";
import type { Book } from "./book.ts";
import type { Limits, Tracker } from "./tracker.ts";

/** A storm of hundreds of problems becomes no storm of tickets at once: the others follow in the next hours. */
const mostAnHour = 20;
/** Of what can be left undone: closing, and adding a report. Half a day, as attempts come rarer. */
const mostTries = 16;

/** Both answer why the last one that failed did, or null. `limits` is null when the time is up. */
export interface Filing {
  file(wanted: readonly Ticket[], tracker: Tracker, limits: () => Limits | null): Promise<string | null>;
  close(
    over: readonly Ticket[],
    tracker: Tracker,
    limits: () => Limits | null,
    closeResolved: boolean,
  ): Promise<string | null>;
}

export function createFiling(book: Book, clock: Clock, note: (sentence: string) => void): Filing {
  const filedLately = () => {
    const now = clock.now();
    return book.now().filed.filter((at) => secondsBetween(at, now) < 3600);
  };

  async function fileOne(
    ticket: Ticket,
    request: TicketRequest,
    open: readonly Issue[],
    tracker: Tracker,
    limits: Limits,
  ): Promise<string | null> {
    const known =
      open.find((issue) => isAbout(issue, ticket.problem, request.host)) ??
      open.find(({ id }) => id !== null && id === ticket.id);
    if (known !== undefined) return reuse(ticket, request, known, tracker, limits);
    const filed = filedLately();
    if (filed.length >= mostAnHour) return null;
    const made = await tracker.create(request, limits);
    if (!made.ok) return failed([ticket], made.error, limits);
    book.change({ filed: [...filed, clock.now()] });
    // Made a second time it would be a second ticket.
    const id = made.value ?? (await idOf(ticket, request, tracker, limits));
    if (id === null)
      note(
        `${tracker.tool} does not say under which id it keeps the ticket of ${ticket.problem}: close it by hand`,
      );
    stands(ticket, id, "filed");
    return null;
  }

  async function idOf(
    { problem }: Ticket,
    { host }: TicketRequest,
    tracker: Tracker,
    limits: Limits,
  ): Promise<string | null> {
    const open = await tracker.open(limits);
    return open.ok ? (open.value.find((issue) => isAbout(issue, problem, host))?.id ?? null) : null;
  }

  /** What people wrote into it stays; a report that it lacks is added. */
  async function reuse(
    ticket: Ticket,
    { report, body }: TicketRequest,
    { id, description }: Issue,
    tracker: Tracker,
    limits: Limits,
  ): Promise<string | null> {
    if (id === null || report === null || description.includes(report)) {
      stands(ticket, id, "reused");
      return null;
    }
    const added = await tracker.describe(id, `${description.trimEnd() || body}\n\n${report}`, limits);
    if (added.ok) stands(ticket, id, "updated");
    else if (isGivenUp(ticket, limits)) {
      note(
        `the coding agent's report could not be added to ${id} (${added.error}): argus explain ${ticket.problem}`,
      );
      stands(ticket, id, "reused");
    } else return failed([ticket], added.error, limits);
    return null;
  }

  function stands({ problem }: Ticket, id: string | null, what: TicketEvent["what"]): void {
    const { events, tickets } = book.now();
    const filed = { wanted: null, id, seenOpen: clock.now(), tries: 0, lastTry: null };
    book.change({
      events: id === null ? events : [...events, { problem, id, what }],
      tickets: tickets.map((each) => (each.problem === problem ? { ...each, ...filed } : each)),
    });
  }

  const isGivenUp = ({ tries }: Ticket, { signal }: Limits): boolean =>
    tries + 1 >= mostTries && !signal.aborted;

  /** Remembers the attempt; one that Argus itself ended is none. */
  function failed(tickets: readonly Ticket[], error: string, { signal }: Limits): string | null {
    if (signal.aborted) return null;
    const now = clock.now();
    for (const { problem } of tickets) {
      const ticket = book.now().tickets.find((each) => each.problem === problem);
      if (ticket !== undefined) book.put(problem, { ...ticket, tries: ticket.tries + 1, lastTry: now });
    }
    return error;
  }

  return {
    async file(wanted, tracker, limits) {
      const first = limits();
      const isFull = filedLately().length >= mostAnHour;
      if (wanted.length === 0 || first === null || (isFull && wanted.every(({ id }) => id === null)))
        return null;
      const open = await tracker.open(first);
      if (!open.ok) return failed(wanted, open.error, first);
      let error: string | null = null;
      for (const ticket of wanted) {
        const next = limits();
        if (next === null || ticket.wanted === null) continue;
        error = (await fileOne(ticket, ticket.wanted, open.value, tracker, next)) ?? error;
      }
      return error;
    },
    async close(over, tracker, limits, closeResolved) {
      let error: string | null = null;
      for (const ticket of over) {
        const { problem, id, resolvedAt } = ticket;
        if (id === null || !closeResolved) {
          // It stays open in the tracker, where it is found again when the problem comes back.
          book.put(problem, null);
          continue;
        }
        const limit = limits();
        if (limit === null) break;
        const closed = await tracker.close(id, `Argus saw the problem resolved at ${resolvedAt}`, limit);
        if (closed.ok) {
          book.change({ events: [...book.now().events, { problem, id, what: "closed" }] });
          book.put(problem, null);
        } else if (isGivenUp(ticket, limit)) {
          note(`${id} could not be closed (${closed.error}); its problem is over: close it by hand`);
          book.put(problem, null);
        } else error = failed([ticket], closed.error, limit) ?? error;
      }
      return error;
    },
  };
}
