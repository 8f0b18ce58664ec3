/** Step one: does it have the shape of a proposal, and does its action take such a target? */
import type * as z from "zod";
import { oneLine } from "../system/printable.ts";
import { Proposal } from "../types/action.ts";
import type { Refusal, Task } from "./action.ts";
import { actions } from "./actions/index.ts";
import { type Entrance, inProcess } from "./entrance.ts";

export type Validated =
  | { readonly task: Task; readonly refusal: null }
  | { readonly task: null; readonly refusal: Refusal };

/**
 * @param raw whatever the proposer sent: nothing about it is trusted.
 * @param entrance the way it came.
 */
export function validate(raw: unknown, entrance: Entrance = inProcess): Validated {
  const parsed = Proposal.safeParse(raw);
  if (!parsed.success) return invalid(sentenceOf(parsed.error, raw));
  const proposal = parsed.data;
  // It stands in logs and in `argus explain`, where it must not repaint anything.
  if (oneLine(proposal.source, 256) !== proposal.source) return invalid(`source ${wanted["source"]}`);
  const disbelieved = entrance.disbelieves(proposal.source);
  if (disbelieved !== null) return invalid(disbelieved);
  const action = actions.find((each) => each.type === proposal.type);
  if (action === undefined) {
    const known = actions.map((each) => each.type).join(", ");
    return refused("unknown_action", `there is no action ${oneLine(proposal.type, 64)}; there are ${known}`);
  }
  if (!entrance.actions.includes(action))
    return invalid(
      action.kind === "machine"
        ? `${action.type} changes the machine, which this part of Argus cannot do`
        : `${action.type} changes nothing on the machine: the executor's process carries out machine actions only`,
    );
  const target = action.targetSchema.safeParse(proposal);
  if (!target.success)
    return invalid(`${proposal.type}: ${target.error.issues[0]?.message ?? "wrong target"}`);
  const task: Task = {
    proposal,
    action,
    target: target.data,
    name: action.nameOf(target.data),
    claim: `${action.type} ${action.claimOf(target.data, proposal)}`,
  };
  return { task, refusal: null };
}

function refused(reason: Refusal["reason"], detail: string): Validated {
  return { task: null, refusal: { pass: false, reason, detail } };
}

const invalid = (detail: string): Validated => refused("invalid", detail);

/** The first thing that is wrong, in one sentence. */
function sentenceOf(error: z.ZodError, raw: unknown): string {
  const issue = error.issues[0];
  if (issue === undefined || issue.path.length === 0) {
    if (issue?.code === "unrecognized_keys") return `the proposal has an unknown key: ${named(issue.keys)}`;
    return "the proposal is not an object";
  }
  const path = issue.path.map(String).join(".");
  if (issue.code === "unrecognized_keys") return `${path} has an unknown key: ${named(issue.keys)}`;
  if (valueAt(raw, issue.path) === undefined) return `${path} is missing`;
  return `${path} ${wanted[path] ?? "has the wrong type"}`;
}

const named = (keys: readonly string[]): string => oneLine(keys.join(", "), 200);

function valueAt(raw: unknown, path: readonly PropertyKey[]): unknown {
  let value = raw;
  for (const key of path)
    value = typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
  return value;
}

/** What each field must be, to complete a sentence that begins with its name. */
const wanted: Readonly<Record<string, string>> = {
  type: "must be text of 1 to 64 characters",
  target: "must be text of 1 to 256 characters or a whole number",
  message: "must be text of 1 to 8192 characters",
  lines: "must be a list of at most 500 texts",
  source: "must be `rule:NAME`, `llm:MODEL`, `operator` or `self`",
  problem: "must be a problem key such as `service:3f1c0c9a5d2e7b40`",
  problemType: "is not one of the kinds of problems",
  severity: "must be critical, warning or info",
  subject: "must be text of at most 1024 characters",
  expect: "must be an object",
  "expect.startTime": "must be a whole number that is not negative",
  "expect.socket": "must be text",
  reason: "must be text of at most 2048 characters",
  recovery: "must be true or false",
  outage: "must be a time in ISO 8601",
  report: "must be text of at most 8192 characters",
};
