/**
 * What waits for a person's yes. `approvals.json` is the executor's own; `approvals/ID.json` is the word of a person,
 * written by `argus approve` and `argus deny`. Where the executor is a process of its own, only root writes either.
 * A yes is for one action on one target for one problem, once, and ends with the question.
 */
import { randomInt } from "node:crypto";
import { join } from "node:path";
import * as z from "zod";
import { fileError } from "../system/file-error.ts";
import { stringify } from "../system/printable.ts";
import { redactDeep, redactIdentity } from "../system/redact/redact.ts";
import { RefusedFile } from "../system/refused.ts";
import { createStore } from "../system/store.ts";
import type { Files } from "../system/system.ts";
import { Proposal } from "../types/action.ts";
import { Moment, secondsBetween } from "../types/moment.ts";
import type { Task } from "./action.ts";

const Question = z.strictObject({
  id: z.string().regex(/^[a-z0-9]{4}$/),
  proposal: Proposal,
  askedAt: Moment,
  /** It may be answered, and a yes be used, for so long. */
  seconds: z.number(),
});
type Question = z.infer<typeof Question>;
const File = z.strictObject({ version: z.literal(1), questions: z.array(Question) });

const Decision = z.strictObject({
  version: z.literal(1),
  yes: z.boolean(),
  /** The user who said it. */
  by: z.string().max(256),
  /** ISO 8601, UTC. */
  at: z.string().max(64),
});
export type Decision = z.infer<typeof Decision>;

export const Approval = z.strictObject({
  id: z.string(),
  state: z.enum(["pending", "approved", "denied"]),
  proposal: Proposal,
  /** ISO 8601, UTC. */
  askedAt: z.string(),
  expiresInSeconds: z.number(),
  decided: Decision.nullable(),
});
export type Approval = z.infer<typeof Approval>;

/** More would be a list nobody reads; what comes then is refused without a question. */
const mostQuestions = 50;
/** Without the letters and digits that look alike. */
const alphabet = "abcdefghjkmnpqrstuvwxyz23456789";

export interface Approvals {
  /** Those that are neither used nor over, oldest first. */
  list(now: Moment): Approval[];
  /** null: too many wait already. Durable when it returns. */
  ask(task: Task, seconds: number, now: Moment): Approval | null;
  /** What was asked about this very action, on this target, for this problem. */
  find(task: Task, now: Moment): Approval | null;
  /** A yes is used up before the action begins: a crash in between loses the yes and never doubles the deed. */
  use(id: string): void;
}

/** Of what was approved, while the mode is watch. */
export const whileWatching = (deed: string): string =>
  `${deed} is not done, because Argus only watches; argus mode act lets it act`;

const decisionPath = (stateDir: string, id: string): string => join(stateDir, "approvals", `${id}.json`);

export function openApprovals(files: Files, stateDir: string, note: (sentence: string) => void): Approvals {
  const path = join(stateDir, "approvals.json");
  const empty = () => ({ version: 1 as const, questions: [] });
  const store = createStore({ files, path, schema: File, empty, note });
  let questions = store.load().questions;

  function keep(next: readonly Question[]): void {
    files.makeDirectory(stateDir);
    store.save({ version: 1, questions: [...next] });
    const kept = new Set(next.map(({ id }) => id));
    for (const { id } of questions) if (!kept.has(id)) files.remove(decisionPath(stateDir, id));
    questions = [...next];
  }

  const inForce = (now: Moment) => questions.filter((each) => secondsLeft(each, now) > 0);
  const approvalOf = (question: Question, now: Moment): Approval => {
    const decided = readDecision(files, stateDir, question.id, note);
    return {
      id: question.id,
      state: decided === null ? "pending" : decided.yes ? "approved" : "denied",
      proposal: question.proposal,
      askedAt: new Date(question.askedAt.wallMs).toISOString(),
      expiresInSeconds: secondsLeft(question, now),
      decided,
    };
  };

  return {
    list: (now) => inForce(now).map((each) => approvalOf(each, now)),
    find(task, now) {
      const wanted = nameOfDeed(shown(task.proposal));
      const found = inForce(now).find(({ proposal }) => nameOfDeed(proposal) === wanted);
      return found === undefined ? null : approvalOf(found, now);
    },
    ask(task, seconds, now) {
      const others = inForce(now);
      if (others.length >= mostQuestions) return null;
      const taken = new Set(others.map(({ id }) => id));
      let id = newId();
      while (taken.has(id) || files.stat(decisionPath(stateDir, id)) !== null) id = newId();
      const question = { id, proposal: shown(task.proposal), askedAt: now, seconds };
      keep([...others, question]);
      return approvalOf(question, now);
    },
    use: (id) => keep(questions.filter((each) => each.id !== id)),
  };
}

/** A question ends with the boot it was asked in: what was down then has been started anew. */
const secondsLeft = ({ askedAt, seconds }: Question, now: Moment): number =>
  askedAt.bootId === now.bootId ? Math.max(0, seconds - secondsBetween(askedAt, now)) : 0;

/**
 * As people read it, and as it lies on disk. A rule asks again with the real target, and finds its yes by this; the model
 * is given no target that holds a secret.
 */
function shown(proposal: Proposal): Proposal {
  const { target } = proposal;
  const safe = redactDeep(proposal);
  return typeof target === "string" ? { ...safe, target: redactIdentity(target) } : safe;
}

const newId = (): string => Array.from({ length: 4 }, () => alphabet[randomInt(alphabet.length)]).join("");

/** The same deed: not its words, and not who asked. */
function nameOfDeed({ type, target, problem, expect }: Proposal): string {
  return stringify([type, target ?? null, problem, expect?.startTime ?? null, expect?.socket ?? null]);
}

/** A word that cannot be understood is none, and neither is one that another user may have written. */
function readDecision(
  files: Files,
  stateDir: string,
  id: string,
  note: (sentence: string) => void,
): Decision | null {
  try {
    return (
      Decision.safeParse(JSON.parse(files.tryRead(decisionPath(stateDir, id), "own") ?? "")).data ?? null
    );
  } catch (error) {
    if (error instanceof RefusedFile) note(`the answer to ${id} does not count: ${error.message}`);
    return null;
  }
}

/** The last word counts until the action is begun. Throws a WorkError when it cannot be written. */
export function writeDecision(
  files: Files,
  stateDir: string,
  id: string,
  decision: Omit<Decision, "version">,
): void {
  const path = decisionPath(stateDir, id);
  try {
    files.makeDirectory(join(stateDir, "approvals"));
    files.writeAtomic(path, `${stringify(redactDeep({ version: 1, ...decision }))}\n`);
  } catch (error) {
    throw fileError("write down the answer in", path, error);
  }
}
