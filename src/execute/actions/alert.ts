/** Tells people: once per problem in the dedup window, all alerts of a cycle in one message. */
import * as z from "zod";
import { isReadable, joinLines, oneLine } from "../../system/printable.ts";
import type { Proposal } from "../../types/action.ts";
import { notAcknowledged } from "../acks.ts";
import type { WordAction } from "../action.ts";
import { endsAs, mayAnnounce } from "../announced.ts";
import { eventOnce } from "../events.ts";
import { composeMessage, putIntoOutbox } from "../outbox.ts";
import { firstInRequest, offeredToModel } from "../questions.ts";
import { reasonOf } from "../reason.ts";
import { notSilenced } from "../silences.ts";

/** What a telephone shows without scrolling for ever; details are what `argus explain` is for. */
const maxLines = 12;
const maxCharactersEach = 300;

export const Words = z
  .object({
    target: z.undefined({ error: "target must be left out" }).optional(),
    message: z
      .string({ error: "message is missing" })
      .refine(isReadable, { error: "message holds no readable character" }),
    lines: z.array(z.string()).optional(),
    recovery: z.boolean().optional(),
  })
  .transform(({ message, lines = [], recovery }) => ({
    text: joinLines([message, ...lines], maxLines, maxCharactersEach),
    recovery: recovery ?? false,
  }));
export type Words = z.infer<typeof Words>;

const kindOf = ({ question = false, flapping }: Proposal) => ({ question, flapping: flapping !== undefined });

export const alert: WordAction<Words> = {
  kind: "word",
  type: "alert",
  targetSchema: Words,
  gateSteps: [
    offeredToModel,
    firstInRequest,
    eventOnce,
    notSilenced,
    notAcknowledged,
    {
      step: "dedup window",
      ask({ task: { proposal, target }, policy, history, now }) {
        const { problem, severity } = proposal;
        const { repaired = false, asked = false } = proposal;
        const reportRepair = repaired && (asked || policy.reportRepairs);
        const question = { problem, severity, recovery: target.recovery, reportRepair, ...kindOf(proposal) };
        const { pass, detail } = mayAnnounce(history.announced, question, policy.dedupWindowSeconds, now);
        return pass ? { pass, detail } : { pass, reason: "duplicate", detail };
      },
    },
  ],
  nameOf: () => null,
  claimOf: (_, proposal) => proposal.problem,
  forecast: ({ target }) => `would notify: ${oneLine(target.text, 500)}`,

  performAll(tasks, context) {
    const announced = context.state.announced();
    const alerts = tasks.map(({ proposal, target }) => ({
      problem: proposal.problem,
      type: proposal.problemType,
      subject: proposal.subject,
      severity: proposal.severity,
      recovery: target.recovery,
      ending: proposal.closed === true ? ("closed" as const) : endsAs(announced, proposal.problem),
      actionTaken: proposal.actionTaken,
      text: target.text,
      approvals: proposal.approvals,
      told: proposal.told === true,
      since: proposal.since,
      advice: proposal.advice,
      ...kindOf(proposal),
    }));
    const untold = alerts.filter(({ told }) => !told);
    const now = context.system.clock.now();
    const { files } = context.system;
    const message = composeMessage(context.host, untold, now);
    const id = untold.length === 0 ? "" : putIntoOutbox(files, context.stateDir, message, now);
    try {
      // Only now: an alert that could not be written must be told by the next cycle.
      context.state.markAnnounced(alerts, now);
    } catch (error) {
      context.note(
        `dedup.json could not be written (${reasonOf(error)}): a restart of Argus would notify about this again`,
      );
    }
    const rest = untold.length - 1;
    const together = rest < 1 ? "" : `, in one message with ${rest} other${rest === 1 ? "" : "s"}`;
    return alerts.map(({ told }) =>
      told
        ? { ok: true, detail: "was notified without the outbox", values: {} }
        : { ok: true, detail: `waits in the outbox as ${id}${together}`, values: { outbox: id } },
    );
  },
};
