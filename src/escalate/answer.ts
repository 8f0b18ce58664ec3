/**
 * The model's reply, taken at its word and no further: parsed strictly, and every action held to what was offered.
 * Whatever it says, nothing leaves here but proposals for offered targets; the executor then asks everything again.
 */

import * as z from "zod";
import {
  type ActionRow,
  type ActionType,
  actionCatalog,
  type Proposal,
  type RefusalReason,
} from "../types/action.ts";
import type { Rejection } from "../types/consultation.ts";
import { percent } from "../types/quantities.ts";
import type { Candidate } from "./candidates.ts";
import { machineLine } from "./machine-text.ts";
import type { Unresolved } from "./unresolved.ts";

/** The shape that the API is asked to enforce; what it cannot enforce is checked below. */
export function replyFormat(types: readonly string[]) {
  const [first, ...rest] = types;
  return z.object({
    assessment: z
      .string()
      .describe("What is going on and what it rests on, with values. At most five sentences."),
    observations: z
      .array(z.string())
      .describe("What a person should know besides, one sentence each. Often empty."),
    actions: z
      .array(
        z.object({
          type: first === undefined ? z.string() : z.enum([first, ...rest]),
          target: z
            .union([z.string(), z.number(), z.null()])
            .describe("Exactly as it stands in allowed_actions; null where the target is null."),
          message: z
            .union([z.string(), z.null()])
            .describe("The text of an alert or log; null for the others."),
          problem: z.string().describe("The key of the problem that it is for."),
          reason: z.string().describe("Why, with the values that speak for it. One or two sentences."),
          confidence: z.number().describe("0 to 1: how sure you are that it helps and does no harm."),
        }),
      )
      .describe("An empty list is the normal answer."),
  });
}

const Reply = z.strictObject({
  assessment: z.string(),
  observations: z.array(z.string()),
  actions: z.array(z.unknown()),
});

const Action = z.strictObject({
  type: z.string().min(1).max(64),
  target: z.union([z.string().min(1).max(256), z.int(), z.null()]).optional(),
  message: z.union([z.string().max(20_000), z.null()]).optional(),
  problem: z.string().max(64),
  reason: z.string().max(20_000),
  confidence: z.number().min(0).max(1),
});
type Action = z.infer<typeof Action>;

/** More is no answer to a handful of problems. */
const maxActions = 20;
const maxObservations = 20;

export interface Offered {
  readonly unresolved: readonly Unresolved[];
  readonly candidates: readonly Candidate[];
  /** `llm:MODEL` */
  readonly source: string;
  /** Below it an action becomes an alert that proposes it. */
  readonly confidence: number;
}

export interface Answer {
  readonly assessment: string;
  readonly observations: readonly string[];
  readonly proposals: readonly Proposal[];
  readonly rejected: readonly Rejection[];
}

/** @returns text: one sentence why the reply is of no use. */
export function readAnswer(text: string, offered: Offered): Answer | string {
  const json = jsonIn(text);
  if (json === undefined)
    return text.trim() === "" ? "the reply is empty" : "the reply is not JSON, or has text around it";
  const reply = Reply.safeParse(json);
  if (!reply.success) {
    const issue = reply.error.issues[0];
    const where = issue?.path.length ? issue.path.join(".") : "top level";
    return `the reply has another shape than it was asked for (${machineLine(`${where}: ${issue?.message ?? "?"}`, 160)})`;
  }
  const { assessment, observations, actions } = reply.data;
  if (actions.length > maxActions)
    return `the reply holds ${actions.length} actions; no more than ${maxActions} are taken`;
  return {
    assessment: machineLine(assessment, 2000),
    observations: observations.slice(0, maxObservations).map((each) => machineLine(each, 500)),
    ...judge(actions, offered),
  };
}

const fence = /^[ \t]*```[ \t]*(\S*)[ \t]*$/;

/**
 * The text as JSON, or the one block in it, ```json or bare, as models write it that are asked for JSON in words. Of two
 * blocks nobody knows which one is meant. undefined: there is none.
 */
function jsonIn(text: string): unknown {
  const whole = parsed(text);
  if (whole !== undefined) return whole;
  const lines = text.split(/\r?\n/);
  // A line end in a text of JSON is written \n: a fence within one never is a line of its own.
  const fences = lines.flatMap((line, at) => (fence.test(line) ? at : []));
  const [begin = 0, end = 0] = fences;
  const word = fence.exec(lines[begin] ?? "")?.[1]?.toLowerCase();
  if (fences.length !== 2 || (word !== "json" && word !== "") || fence.exec(lines[end] ?? "")?.[1] !== "")
    return undefined;
  const around = [...lines.slice(0, begin), ...lines.slice(end + 1)];
  if (around.some((line) => line.includes("```"))) return undefined;
  const block = parsed(lines.slice(begin + 1, end).join("\n"));
  return typeof block === "object" && block !== null && !Array.isArray(block) ? block : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function judge(actions: readonly unknown[], offered: Offered): Pick<Answer, "proposals" | "rejected"> {
  const proposals: Proposal[] = [];
  const rejected: Rejection[] = [];
  const words = new Map<string, string[]>();
  const seen = new Set<string>();
  for (const raw of actions) {
    const checked = check(raw, offered, seen);
    if ("reason" in checked) {
      rejected.push(checked);
      continue;
    }
    const { action, candidate, group } = checked;
    seen.add(claimOf(action));
    if (action.type === "alert") {
      words.set(group.key, [machineLine(action.message ?? "", 1500), ...(words.get(group.key) ?? [])]);
    } else if (!isNote(action) && action.confidence < offered.confidence) {
      words.set(group.key, [...(words.get(group.key) ?? []), proposedOnly(action, offered.confidence)]);
    } else {
      proposals.push(proposal(action, candidate, group, offered.source));
    }
  }
  return { proposals: [...proposals, ...alerts(words, offered)], rejected };
}

type Checked = { action: Action; candidate: Candidate; group: Unresolved };

function check(
  raw: unknown,
  { unresolved, candidates }: Offered,
  seen: ReadonlySet<string>,
): Checked | Rejection {
  const parsed = Action.safeParse(raw);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const where = issue?.path.length ? `${issue.path.join(".")}: ` : "";
    return rejection(
      nameOf(raw),
      "invalid",
      `it does not have the shape of an action (${where}${issue?.message ?? "?"})`,
    );
  }
  const action = withOwnTarget(parsed.data, candidates);
  const what = nameOf(action);
  if (!Object.hasOwn(actionCatalog, action.type))
    return rejection(what, "unknown_action", "there is no such action");
  const ofType = candidates.filter(({ type }) => type === action.type);
  if (ofType.length === 0) return rejection(what, "not_allowlisted", "the action was not offered");
  const target = action.target ?? null;
  const ofTarget = ofType.find((candidate) => candidate.target === target);
  if (ofTarget === undefined) return rejection(what, "not_a_candidate", "the target was not offered");
  const group = unresolved.find(({ key }) => key === action.problem);
  if (group === undefined || !ofTarget.problems.includes(group.key)) {
    return rejection(what, "not_a_candidate", "the target was not offered for this problem");
  }
  const wantsMessage = actionCatalog[action.type as ActionType].message;
  const message = machineLine(action.message ?? "", 100);
  if (wantsMessage && message === "") return rejection(what, "invalid", "its message is empty");
  if (machineLine(action.reason, 100) === "") return rejection(what, "invalid", "its reason is empty");
  if (seen.has(claimOf(action))) return rejection(what, "duplicate", "the reply asks for it twice");
  return { action, candidate: ofTarget, group };
}

/** A disk that is left out is the problem's own, where it has exactly one. */
function withOwnTarget(action: Action, candidates: readonly Candidate[]): Action {
  const row = Object.entries<ActionRow>(actionCatalog).find(([name]) => name === action.type)?.[1];
  if (row?.ownEntity === undefined || (action.target ?? null) !== null) return action;
  const own = candidates.filter(
    ({ type, problems }) => type === action.type && problems.includes(action.problem),
  );
  const [only] = own;
  return only === undefined || own.length > 1 ? action : { ...action, target: only.target };
}

/** Words that change nothing, whatever the confidence. */
const isNote = ({ type }: Action): boolean => type === "log" || type === "file_bead";

/** Words are said once for each problem, deeds done once for each target. */
const claimOf = ({ type, target, problem }: Action): string =>
  actionCatalog[type as ActionType].message ? `${type} ${problem}` : `${type} ${target ?? null}`;

function nameOf(raw: unknown): string {
  const field = (key: string): unknown =>
    typeof raw === "object" && raw !== null && Object.hasOwn(raw, key) ? Reflect.get(raw, key) : null;
  const [type, target] = [field("type"), field("target")];
  const said = [type, target].filter((each) => typeof each === "string" || typeof each === "number");
  return machineLine(said.join(" "), 160) || "an action";
}

function rejection(what: string, reason: RefusalReason, why: string): Rejection {
  return { what, reason, why: machineLine(why, 300) };
}

const proposedOnly = (action: Action, wanted: number): string =>
  machineLine(
    `Proposed, not done: ${nameOf(action)} (confidence ${percent(action.confidence * 100)}, wanted ${percent(wanted * 100)}): ${action.reason}`,
    600,
  );

function proposal(action: Action, candidate: Candidate, group: Unresolved, source: string): Proposal {
  return {
    type: action.type,
    ...(candidate.target === null ? {} : { target: candidate.target }),
    ...(isNote(action) ? { message: machineLine(action.message ?? "", 2000) } : {}),
    ...aboutProblem(group, source),
    ...(candidate.expect === undefined ? {} : { expect: candidate.expect }),
    reason: machineLine(`${action.reason} (confidence ${percent(action.confidence * 100)})`, 1000),
  };
}

/** One alert for each problem. It begins with what was measured, so that no wording of the model can hide it, and each line of the model's says whose it is. */
function alerts(words: ReadonlyMap<string, readonly string[]>, { unresolved, source }: Offered): Proposal[] {
  return unresolved.flatMap((group) => {
    const said = words.get(group.key);
    if (said === undefined) return [];
    return {
      type: "alert",
      message: machineLine(group.findings[0].finding.summary, 300),
      lines: said.map((each) => `${speakerOf(source)}: ${each}`),
      ...aboutProblem(group, source),
    };
  });
}

const speakerOf = (source: string): string => (source === "llm:hand-off" ? "The coding agent" : "The model");

function aboutProblem({ key, findings: [{ finding }] }: Unresolved, source: string) {
  const { type, severity, subject } = finding;
  return { source, problem: key, problemType: type, severity, subject: subject.slice(0, 1024) };
}
