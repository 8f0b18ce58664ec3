/** Asks for a ticket. It is filed after the cycle, by whoever talks to the tracker: a slow one must not delay a cycle. */
import * as z from "zod";
import { isReadable, joinLines, oneLine, quotedBlock } from "../../system/printable.ts";
import { redact } from "../../system/redact/redact.ts";
import { putTicketRequest } from "../../system/ticket-book.ts";
import { isoTime } from "../../types/moment.ts";
import { duration } from "../../types/quantities.ts";
import type { Question, WordAction } from "../action.ts";
import { firstInRequest, offeredToModel } from "../questions.ts";
import { notSilenced } from "../silences.ts";

/** What a tracker shows well, and what fits into one argument of a program by far. */
const maxLines = 80;
const maxCharactersEach = 600;
const maxBodyCharacters = 8000;
const maxReportCharacters = 6000;
const maxTitleCharacters = 200;

const Wanted = z
  .object({
    target: z.undefined({ error: "target must be left out" }).optional(),
    message: z
      .string({ error: "message is missing" })
      .refine(isReadable, { error: "message holds no readable character" }),
    lines: z.array(z.string()).optional(),
    reason: z.string().optional(),
    outage: z.string().optional(),
    report: z.string().optional(),
  })
  .transform(({ message, lines = [], reason, outage, report = "" }) => {
    const text = joinLines([message, ...lines], maxLines, maxCharactersEach);
    const [first = ""] = text.split("\n", 1);
    const what = oneLine(reason ?? "", maxTitleCharacters) || first;
    const found = isReadable(report) ? joinLines(quotedBlock(report), maxLines, maxCharactersEach) : null;
    return { text, what, outage: outage ?? null, report: found };
  });
type Wanted = z.infer<typeof Wanted>;

/** People are alerted at once; a ticket is for what is still down when the host has started. */
const afterBoot: Question<unknown> = {
  step: "boot grace",
  ask({ task: { proposal }, policy: { bootGraceSeconds }, now: { uptimeSeconds } }) {
    const starts = proposal.problemType === "service" || proposal.problemType === "endpoint";
    if (!starts || uptimeSeconds >= bootGraceSeconds) return null;
    const up = `the host has been up for ${duration(Math.floor(uptimeSeconds))}`;
    return {
      pass: false,
      reason: "boot_grace",
      detail: `${up}; a ticket is for what is down ${duration(bootGraceSeconds)} after boot`,
    };
  },
};

export const fileBead: WordAction<Wanted> = {
  kind: "word",
  type: "file_bead",
  targetSchema: Wanted,
  gateSteps: [
    {
      step: "allowlist",
      ask: ({ policy: { tickets } }) =>
        tickets.enabled
          ? { pass: true, detail: "the settings want tickets" }
          : { pass: false, reason: "not_allowlisted", detail: "the settings want none (tickets.enabled)" },
    },
    offeredToModel,
    firstInRequest,
    notSilenced,
    afterBoot,
    {
      step: "open ticket",
      ask({ task: { proposal, target }, history: { tickets } }) {
        const stands = tickets?.standsFor(proposal.problem, target.outage ?? "") ?? null;
        if (stands === null) return { pass: true, detail: "no ticket is known to be open for it" };
        return target.report === null
          ? { pass: false, reason: "duplicate", detail: stands }
          : { pass: true, detail: `${stands}, and is given the coding agent's report` };
      },
    },
  ],
  nameOf: () => null,
  claimOf: (_, { problem }) => problem,
  forecast: ({ proposal, target }) => `would file a ticket: ${titleOf(proposal.problemType, target)}`,

  performAll(tasks, { system, policy, host }) {
    const at = system.clock.now();
    return tasks.map(({ proposal, target }) => {
      const { problem, problemType, severity } = proposal;
      const title = redact(titleOf(problemType, target));
      // The lines that it is found by come first: nothing that the machine says can stand before them.
      const body = [
        `Problem key: ${problem}`,
        `Host: ${oneLine(host, 200)}`,
        `Severity: ${severity}`,
        "",
        target.text,
      ];
      putTicketRequest(system.files, policy.tickets.stateDir, {
        version: 1,
        problem,
        outage: target.outage ?? isoTime(at),
        host,
        severity,
        title,
        // Cut afterwards: half a secret looks like none.
        body: redact(body.join("\n")).slice(0, maxBodyCharacters),
        report: target.report === null ? null : redact(target.report).slice(0, maxReportCharacters),
        at,
      });
      return { ok: true, detail: "waits to be filed after this cycle", values: { title } };
    });
  },
};

const titleOf = (type: string, { what }: Wanted): string =>
  oneLine(`[argus] ${type}: ${what}`, maxTitleCharacters);
