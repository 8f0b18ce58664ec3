/** Tickets: a problem that somebody should look at, in the tracker of the settings (beads: `bd` or `br`). */
import * as z from "zod";
import { Moment } from "./moment.ts";
import { ProblemKey, Severity } from "./problem.ts";

/** `tickets` in argus.json. */
export const TicketSettings = z
  .strictObject({
    enabled: z.boolean().default(true).describe("whether tickets are filed"),
    tool: z
      .string()
      .regex(/^(\/[^\s]*\/)?(bd|br)$/, "must be bd, br, or an absolute path that ends in one of them")
      .optional()
      .describe("`bd` or `br`, or where it lies (default: the first of them on the path)"),
    directory: z
      .string()
      .regex(/^(\/|~\/|~$)/, "must be an absolute path, or begin with ~/")
      .optional()
      .describe(
        "where the tool finds its database, such as `/var/lib/argus/beads`; Argus must be able to write there (default: where it is started)",
      ),
    closeResolved: z
      .boolean()
      .default(true)
      .describe("whether the ticket of a problem that is over is closed"),
  })
  .default({ enabled: true, closeResolved: true });
export type TicketSettings = z.infer<typeof TicketSettings>;

/** One file in `ticket-requests/`: written by the action `file_bead`, taken by whoever talks to the tracker. */
export const TicketRequest = z.strictObject({
  version: z.literal(1),
  problem: ProblemKey,
  /** When the outage began that it is about, ISO 8601. */
  outage: z.string(),
  host: z.string(),
  severity: Severity,
  title: z.string(),
  /** Its first lines name the problem and the host. */
  body: z.string(),
  /** What a coding agent found out; belongs at the end of the body, also of a ticket that stands. */
  report: z.string().nullable(),
  at: Moment,
});
export type TicketRequest = z.infer<typeof TicketRequest>;

export const Ticket = z.strictObject({
  problem: ProblemKey,
  /** The newest outage that it stands for, ISO 8601. */
  outage: z.string(),
  /** Not in the tracker yet, or not yet looked up there for this outage. */
  wanted: TicketRequest.nullable(),
  /** The tracker's name for it. */
  id: z.string().nullable(),
  /** When the tracker last said that it is open. */
  seenOpen: Moment.nullable(),
  /** Since when the problem is resolved, as far as Argus has seen it. */
  resolvedAt: z.string().nullable(),
  /** Attempts without success, and the last of them. */
  tries: z.number().int().nonnegative(),
  lastTry: Moment.nullable(),
});
export type Ticket = z.infer<typeof Ticket>;

/** What became of a ticket, for the registry. */
export const TicketEvent = z.strictObject({
  problem: ProblemKey,
  id: z.string(),
  what: z.enum(["filed", "reused", "updated", "closed"]),
});
export type TicketEvent = z.infer<typeof TicketEvent>;

/** Content of `tickets.json`. */
export const TicketBook = z.strictObject({
  version: z.literal(1),
  tickets: z.array(Ticket),
  /** Not yet in the registry. */
  events: z.array(TicketEvent),
  /** The tool that is not here, when that was said. */
  missing: z.string().nullable(),
  /** Why the tracker does not do what it is asked for. */
  trouble: z.strictObject({ text: z.string(), since: z.string() }).nullable(),
  /** Tickets of the last hour. */
  filed: z.array(Moment),
});
export type TicketBook = z.infer<typeof TicketBook>;
