/** Tells people: once per problem in the dedup window, all alerts of a cycle in one message. */
import * as z from "zod";
import { isReadable, joinLines, oneLine } from "../../system/printable.ts";
import type { OutboxMessage, Proposal } from "../../types/action.ts";
import type { Moment } from "../../types/moment.ts";
import { notAcknowledged } from "../acks.ts";
import type { Context, WordAction } from "../action.ts";
import { endsAs, mayAnnounce } from "../announced.ts";
import { eventOnce } from "../events.ts";
import { composeMessages, putIntoOutbox } from "../outbox.ts";
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

const kindOf = ({ question = false, flapping, lasting = false }: Proposal) => ({
  question,
  flapping: flapping !== undefined,
  lasting,
});

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
    const { written, failure } = putAll(composeMessages(context.host, untold, now), context, now);
    const messageOf = ({ problem }: { problem: string }) =>
      written.find(({ problems }) => problems.includes(problem));
    const noted = alerts.filter((each) => each.told || messageOf(each) !== undefined);
    try {
      // Only now: an alert that could not be written must be told by the next cycle.
      context.state.markAnnounced(noted, now);
    } catch (error) {
      context.note(
        `dedup.json could not be written (${reasonOf(error)}): a restart of Argus would notify about this again`,
      );
    }
    return alerts.map((each) => {
      if (each.told) return { ok: true, detail: "was notified without the outbox", values: {} };
      const message = messageOf(each);
      if (message === undefined) return { ok: false, detail: `failed: ${reasonOf(failure)}`, values: {} };
      const rest = message.problems.length - 1;
      const together = rest < 1 ? "" : `, in one message with ${rest} other${rest === 1 ? "" : "s"}`;
      return {
        ok: true,
        detail: `waits in the outbox as ${message.id}${together}`,
        values: { outbox: message.id },
      };
    });
  },
};

/** In order, up to the first that cannot be written. Throws when that is the first of all. */
function putAll(
  messages: readonly Omit<OutboxMessage, "id">[],
  { system, stateDir }: Context,
  now: Moment,
): { written: { id: string; problems: readonly string[] }[]; failure: unknown } {
  const written: { id: string; problems: readonly string[] }[] = [];
  for (const message of messages) {
    try {
      written.push({ id: putIntoOutbox(system.files, stateDir, message, now), problems: message.problems });
    } catch (failure) {
      if (written.length === 0) throw failure;
      return { written, failure };
    }
  }
  return { written, failure: null };
}
