/**
 * `silences.json`: a person's word not to be told of something for a while, written by `argus silence`. Nothing is
 * hidden by mistake: a file that cannot be understood silences nothing, and a silence never holds back the end of what
 * was announced. It lies where the pause lies, so that one that stops actions is honoured by the executor itself.
 */
import { randomInt } from "node:crypto";
import { join } from "node:path";
import * as z from "zod";
import { createStore } from "../system/store.ts";
import type { Files } from "../system/system.ts";
import type { Proposal } from "../types/action.ts";
import type { Moment } from "../types/moment.ts";
import { ProblemType } from "../types/problem.ts";
import type { Question } from "./action.ts";
import { windowFor } from "./maintenance.ts";

/** All that is given must fit. */
export const SilenceMatch = z
  .strictObject({
    rule: z.string().min(1).max(256).optional(),
    key: z.string().min(1).max(64).optional(),
    subject: z.string().min(1).max(1024).optional(),
    type: ProblemType.optional(),
  })
  .refine((match) => Object.values(match).some((each) => each !== undefined), {
    error: "a silence needs at least one of rule, key, subject and type",
  });
export type SilenceMatch = z.infer<typeof SilenceMatch>;

export const Silence = z.strictObject({
  id: z.string().regex(/^[a-z0-9]{4}$/),
  match: SilenceMatch,
  /** ISO 8601, UTC. */
  since: z.iso.datetime(),
  until: z.iso.datetime(),
  reason: z.string().max(1024),
  by: z.string().max(256),
  /** Whether it stops actions as well. */
  actions: z.boolean(),
});
export type Silence = z.infer<typeof Silence>;

const File = z.strictObject({ version: z.literal(1), silences: z.array(Silence).max(500) });
const pathIn = (stateDir: string): string => join(stateDir, "silences.json");

/** Those in force. */
export function readSilences(files: Files, stateDir: string, now: Moment): Silence[] {
  try {
    const file = File.safeParse(JSON.parse(files.tryRead(pathIn(stateDir)) ?? "")).data;
    return (file?.silences ?? []).filter((silence) => isInForce(silence, now));
  } catch {
    return [];
  }
}

const isInForce = ({ until }: Silence, { wallMs }: Moment): boolean => Date.parse(until) > wallMs;

/** @param change of those in force; the others are forgotten. @param note told when a broken file was set aside. */
export function changeSilences(
  files: Files,
  stateDir: string,
  now: Moment,
  note: (sentence: string) => void,
  change: (silences: readonly Silence[]) => Silence[],
): void {
  const empty = () => ({ version: 1 as const, silences: [] });
  const store = createStore({ files, path: pathIn(stateDir), schema: File, empty, note });
  const present = store.load().silences.filter((silence) => isInForce(silence, now));
  files.makeDirectory(stateDir);
  store.save({ version: 1, silences: change(present) });
}

/** Without the letters and digits that look alike. */
const alphabet = "abcdefghjkmnpqrstuvwxyz23456789";

export function newSilenceId(silences: readonly Silence[]): string {
  for (;;) {
    const id = Array.from({ length: 4 }, () => alphabet[randomInt(alphabet.length)]).join("");
    if (silences.every((each) => each.id !== id)) return id;
  }
}

export function covers({ match }: Pick<Silence, "match">, proposal: Proposal): boolean {
  const { rule, key, subject, type } = match;
  return (
    (rule === undefined || proposal.source === `rule:${rule}`) &&
    (key === undefined || proposal.problem === key) &&
    (subject === undefined || proposal.subject === subject) &&
    (type === undefined || proposal.problemType === type)
  );
}

/** For words that leave the machine, and for actions when the silence says so. Of what a person asks for: never. */
export const notSilenced: Question<unknown> = {
  step: "silence",
  ask({ task: { proposal, action }, history: { silences }, policy: { maintenance }, now }) {
    if (proposal.recovery === true || proposal.source === "operator") return null;
    const windows = maintenance.filter((each) => action.kind === "word" || each.actions);
    const window = windowFor(windows, proposal, now);
    if (window !== undefined) {
      const detail = `the maintenance window ${window.name} is open until ${window.to} ${window.timeZone}`;
      return { pass: false, reason: "silenced", detail };
    }
    const silence = silences.find(
      (each) => (action.kind === "word" || each.actions) && covers(each, proposal),
    );
    if (silence === undefined) return null;
    const why = silence.reason === "" ? "" : `: ${silence.reason}`;
    const detail = `${silence.by} silenced it until ${silence.until} (${silence.id})${why}`;
    return { pass: false, reason: "silenced", detail };
  },
};
