/** The desk's memory, `tickets.json`, and the requests that it takes into it. */
import { createStore } from "../../system/store.ts";
import type { System } from "../../system/system.ts";
import { emptyTicketBook, readTicketRequests, ticketBookPath } from "../../system/ticket-book.ts";
import type { Problem } from "../../types/problem.ts";
import { type Ticket, TicketBook, type TicketRequest } from "../../types/ticket.ts";

const mostTickets = 500;

export interface Book {
  now(): TicketBook;
  /** On disk when it returns. */
  change(change: Partial<TicketBook>): void;
  /** null takes it out. */
  put(problem: string, ticket: Ticket | null): void;
  /** What is over need not be filed any more; one that is in the tracker is still to be closed. */
  withdraw(ticket: Ticket): void;
  /** Takes what was asked for since the last time. */
  takeRequests(): void;
  /** Notes which problems are resolved, as the registry may forget that before a ticket is closed. */
  observe(problems: ReadonlyMap<string, Problem>): void;
}

export function openBook(
  { files }: Pick<System, "files">,
  stateDir: string,
  note: (sentence: string) => void,
): Book {
  const path = ticketBookPath(stateDir);
  const store = createStore({ files, path, schema: TicketBook, empty: emptyTicketBook, note });
  let book = store.load();

  function save(next: TicketBook): void {
    store.save(next);
    book = next;
  }
  const changed = (tickets: readonly Ticket[]): void => save({ ...book, tickets: [...tickets] });

  function put(problem: string, ticket: Ticket | null): void {
    const others = book.tickets.filter((each) => each.problem !== problem);
    changed(ticket === null ? others : [...others, ticket]);
  }

  return {
    now: () => book,
    change: (change) => save({ ...book, ...change }),
    put,
    withdraw(ticket) {
      if (ticket.id === null) put(ticket.problem, null);
      else if (ticket.wanted !== null) put(ticket.problem, { ...ticket, wanted: null });
    },
    takeRequests() {
      const { found, broken } = readTicketRequests(files, stateDir);
      for (const broke of broken) {
        files.rename(broke, `${broke}.corrupt`);
        note(`${broke} asks for no ticket that can be understood and was set aside as ${broke}.corrupt`);
      }
      if (found.length === 0) return;
      const byProblem = new Map(book.tickets.map((ticket) => [ticket.problem, ticket]));
      for (const { value: request } of found)
        byProblem.set(request.problem, wanting(byProblem.get(request.problem), request));
      const all = [...byProblem.values()];
      const surplus = Math.max(0, all.length - mostTickets);
      if (surplus > 0) note(`more than ${mostTickets} tickets are kept in mind; the oldest are forgotten`);
      changed(all.slice(surplus));
      for (const each of found) files.remove(each.path);
    },
    observe(problems) {
      const next = book.tickets.map((ticket): Ticket => {
        const problem = problems.get(ticket.problem);
        const resolvedAt = problem === undefined || problem.life === "resolved" ? problem?.resolvedAt : null;
        return resolvedAt === undefined || resolvedAt === ticket.resolvedAt
          ? ticket
          : { ...ticket, resolvedAt };
      });
      if (next.some((ticket, index) => ticket !== book.tickets[index])) changed(next);
    },
  };
}

const wanting = (before: Ticket | undefined, request: TicketRequest): Ticket => ({
  problem: request.problem,
  outage: request.outage,
  wanted: request,
  id: before?.id ?? null,
  seenOpen: before?.seenOpen ?? null,
  resolvedAt: null,
  tries: 0,
  lastTry: null,
});
