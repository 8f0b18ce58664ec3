/** Files what is wanted and closes what is over, and writes each step down before the next one. */
import { redact } from "../../system/redact/redact.ts";
import type { Clock } from "../../system/system.ts";
import { secondsBetween } from "../../types/moment.ts";
import type { Ticket } from "../../types/ticket.ts";
import { type Issue, isAbout } from "./answers.ts";
import type { Book } from "./book.ts";
import type { Limits, Tracker } from "./tracker.ts";

/** A storm of hundreds of problems becomes no storm of tickets at once: the others follow in the next hours. */
const mostAnHour = 20;
const mostCloseTries = 12;

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
  /** @returns why the last one that failed did, or null. */
  async function file(
    wanted: readonly Ticket[],
    tracker: Tracker,
    limits: () => Limits | null,
  ): Promise<string | null> {
    const limit = limits();
    if (wanted.length === 0 || limit === null) return null;
    const open = await tracker.open(limit);
    if (!open.ok) return failed(wanted, open.error, limit);
    let error: string | null = null;
    for (const ticket of wanted) {
      const { problem, wanted: request } = ticket;
      if (request === null) continue;
      const known =
        open.value.find((issue) => isAbout(issue, problem, request.host)) ??
        open.value.find(({ id }) => id === ticket.id);
      if (known !== undefined) {
        stands(ticket, known, "reused");
        continue;
      }
      const now = clock.now();
      const filed = book.now().filed.filter((at) => secondsBetween(at, now) < 3600);
      const next = limits();
      if (filed.length >= mostAnHour || next === null) continue;
      const made = await tracker.create(request, next);
      if (made.ok) {
        book.change({ filed: [...filed, now] });
        stands(ticket, made.value, "filed");
      } else error = failed([ticket], made.error, next);
    }
    return error;
  }

  function stands(ticket: Ticket, { id }: Issue, what: "filed" | "reused"): void {
    const { problem } = ticket;
    book.change({
      events: [...book.now().events, { problem, id, what }],
      tickets: book
        .now()
        .tickets.map((each) =>
          each.problem === problem
            ? { ...each, wanted: null, id, seenOpen: clock.now(), tries: 0, lastTry: null }
            : each,
        ),
    });
  }

  async function close(
    over: readonly Ticket[],
    tracker: Tracker,
    limits: () => Limits | null,
    closeResolved: boolean,
  ): Promise<string | null> {
    let error: string | null = null;
    for (const ticket of over) {
      const { problem, id, resolvedAt, tries } = ticket;
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
      } else if (tries + 1 >= mostCloseTries && !limit.signal.aborted) {
        note(`${id} could not be closed (${closed.error}); its problem is over: close it by hand`);
        book.put(problem, null);
      } else error = failed([ticket], closed.error, limit);
    }
    return error;
  }

  /** Remembers the attempt; one that Argus itself ended is none. */
  function failed(tickets: readonly Ticket[], error: string, { signal }: Limits): string | null {
    if (signal.aborted) return null;
    const now = clock.now();
    for (const { problem } of tickets) {
      const ticket = book.now().tickets.find((each) => each.problem === problem);
      if (ticket !== undefined) book.put(problem, { ...ticket, tries: ticket.tries + 1, lastTry: now });
    }
    return redact(error);
  }

  return { file, close };
}
