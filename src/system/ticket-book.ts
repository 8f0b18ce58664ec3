/**
 * Where tickets stand between the stages. Whoever asks for one writes a request into `ticket-requests/`; the desk, which alone
 * talks to the tracker, takes it into `tickets.json`. So each file has one writer, and nothing is lost between them.
 */
import { join } from "node:path";
import { UserError } from "../types/errors.ts";
import { type Moment, secondsBetween } from "../types/moment.ts";
import { TicketBook, TicketRequest } from "../types/ticket.ts";
import { readJsonFolder } from "./json-folder.ts";
import { stringify } from "./printable.ts";
import { redactDeep } from "./redact/redact.ts";
import type { Files } from "./system.ts";

export const ticketBookPath = (stateDir: string): string => join(stateDir, "tickets.json");
const folderOf = (stateDir: string): string => join(stateDir, "ticket-requests");

/** What is said here of a ticket holds for so long without another look at the tracker. */
const freshSeconds = 3600;
const mostBytes = 64 * 1024;

export const emptyTicketBook = (): TicketBook => ({
  version: 1,
  tickets: [],
  events: [],
  missing: null,
  trouble: null,
  filed: [],
});

/**
 * As the desk left it; empty when it cannot be understood: the desk sets such a file aside and says so. Throws a
 * WorkError when it cannot be read, or is not Argus's alone.
 */
export function readTicketBook(files: Files, stateDir: string): TicketBook {
  const text = files.tryRead(ticketBookPath(stateDir), "own") ?? "";
  try {
    return TicketBook.safeParse(JSON.parse(text)).data ?? emptyTicketBook();
  } catch {
    return emptyTicketBook();
  }
}

/** For whoever only looks: which stand, and what keeps others from it. */
export function viewTickets(files: Files, stateDir: string, enabled: boolean) {
  const { tickets, trouble, missing } = readTicketBook(files, stateDir);
  const asked = readTicketRequests(files, stateDir).found.map(({ value }) => value.problem);
  const wanted = tickets.filter((ticket) => ticket.wanted !== null).map(({ problem }) => problem);
  return {
    open: tickets.filter(({ id, wanted: request }) => id !== null || request === null).length,
    waiting: enabled ? new Set([...asked, ...wanted]).size : 0,
    missing: enabled ? missing : null,
    trouble: enabled ? trouble : null,
  };
}

/** On disk when it returns. A second request about the same problem takes the place of the first. */
export function putTicketRequest(files: Files, stateDir: string, request: TicketRequest): void {
  files.makeDirectory(folderOf(stateDir));
  const name = `${request.problem.replace(":", "-")}.json`;
  files.writeAtomic(join(folderOf(stateDir), name), `${stringify(redactDeep(request))}\n`);
}

/** @returns requests with the files that hold them, and the files that hold none. */
export const readTicketRequests = (files: Files, stateDir: string) =>
  readJsonFolder(files, folderOf(stateDir), TicketRequest, mostBytes);

/** What stands for problems already: asked of once for many questions. */
export interface StandingTickets {
  /** One clause about the ticket for this outage; null: there is none, or nobody has looked lately whether it is open. */
  standsFor(problem: string, outage: string): string | null;
}

/** When that cannot be known, it says so of each: a second ticket is worse than one that comes later. */
export function standingTickets(files: Files, stateDir: string, now: Moment): StandingTickets {
  try {
    return standing(files, stateDir, now);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { standsFor: () => `nobody knows whether there is one already: ${error.message}` };
  }
}

function standing(files: Files, stateDir: string, now: Moment): StandingTickets {
  const { tickets } = readTicketBook(files, stateDir);
  const waiting = new Set(readTicketRequests(files, stateDir).found.map(({ value }) => value.problem));
  const byProblem = new Map(tickets.map((ticket) => [ticket.problem, ticket]));
  return {
    standsFor(problem, outage) {
      const ticket = byProblem.get(problem);
      if (waiting.has(problem) || (ticket !== undefined && ticket.wanted !== null))
        return "a ticket for it waits to be filed";
      if (ticket === undefined) return null;
      const isFresh = ticket.seenOpen !== null && secondsBetween(ticket.seenOpen, now) < freshSeconds;
      return ticket.outage === outage || isFresh ? `${ticket.id ?? "a ticket"} is open for it` : null;
    },
  };
}
