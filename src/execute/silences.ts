/**
 * `silences.json`: a person's word not to be told of something for a while, written by `argus silence`. Nothing is
 * hidden by mistake: a file that cannot be understood is set aside, said aloud and silences nothing, and a silence never
 * holds back the end of what was announced. It lies where the pause lies, so that one that stops actions is honoured by
 * the executor itself. What bounds actions whatever happens is the pause: a silence that is lost lets them go on.
 */

import { randomInt } from "node:crypto";
import { join } from "node:path";
import * as z from "zod";
import { createStore } from "../system/store.ts";
import type { Files } from "../system/system.ts";
import type { Proposal } from "../types/action.ts";
import type { Moment } from "../types/moment.ts";
import { ProblemType } from "../types/problem.ts";
import { utc } from "../types/quantities.ts";
import type { Question, Task } from "./action.ts";
import { isStanding } from "./announced.ts";
import { isAbout, windowFor } from "./maintenance.ts";
import { reasonOf } from "./reason.ts";

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

export const mostSilences = 500;
const File = z.strictObject({ version: z.literal(1), silences: z.array(Silence).max(mostSilences) });
const pathIn = (stateDir: string): string => join(stateDir, "silences.json");

/** Those in force. Throws when the file cannot be read. @param note told when a broken file was set aside. */
export function readSilences(
  files: Files,
  stateDir: string,
  now: Moment,
  note: (sentence: string) => void,
): Silence[] {
  return storeIn(files, stateDir, note)
    .load()
    .silences.filter((silence) => isInForce(silence, now));
}

/** For the executor, whose cycle goes on: nothing is hidden because of a disk that fails. */
export function silencesInForce(...[files, stateDir, now, note]: Parameters<typeof readSilences>): Silence[] {
  try {
    return readSilences(files, stateDir, now, note);
  } catch (error) {
    note(`${pathIn(stateDir)} could not be read, so nothing is silenced: ${reasonOf(error)}`);
    return [];
  }
}

function storeIn(files: Files, stateDir: string, note: (sentence: string) => void) {
  const empty = () => ({ version: 1 as const, silences: [] });
  return createStore<z.infer<typeof File>>({ files, path: pathIn(stateDir), schema: File, empty, note });
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
  const silences = change(readSilences(files, stateDir, now, note));
  files.makeDirectory(stateDir);
  // One that cannot be read back would void all the others.
  storeIn(files, stateDir, note).save(File.parse({ version: 1, silences }));
}

/** Without the letters and digits that look alike. */
const alphabet = "abcdefghjkmnpqrstuvwxyz23456789";

export function newSilenceId(silences: readonly Silence[]): string {
  for (;;) {
    const id = Array.from({ length: 4 }, () => alphabet[randomInt(alphabet.length)]).join("");
    if (silences.every((each) => each.id !== id)) return id;
  }
}

/** @param name of the target; what the proposer calls its subject is only its word. */
export function covers(
  { match }: Pick<Silence, "match">,
  proposal: Proposal,
  name: Task["name"] = null,
): boolean {
  const { rule, key, subject, type } = match;
  return (
    (rule === undefined || proposal.source === `rule:${rule}`) &&
    (key === undefined || proposal.problem === key) &&
    (subject === undefined || isAbout(subject, proposal, name)) &&
    (type === undefined || proposal.problemType === type)
  );
}

/**
 * For words that leave the machine, and for actions when the silence says so. Not for the cleaning that a person asks
 * for by hand, and not for the end of what was announced, which only a word can be. The report of a repair is no such
 * end: nobody waits for it.
 */
export const notSilenced: Question<unknown> = {
  step: "silence",
  ask({ task: { proposal, action, name }, history: { silences, announced }, policy: { maintenance }, now }) {
    const isWord = action.kind === "word";
    const isReport = proposal.repaired === true && !isStanding(announced[proposal.problem]);
    if (isWord && proposal.recovery === true && !isReport) return null;
    if (action.type === "clean_disk" && proposal.source === "operator") return null;
    const concerned = <Each extends { readonly actions: boolean }>(all: readonly Each[]) =>
      all.filter((each) => isWord || each.actions);
    const window = windowFor(concerned(maintenance), proposal, name, now);
    if (window !== undefined) {
      const detail = `the maintenance window ${window.name} is open until ${window.to} ${window.timeZone}`;
      return { pass: false, reason: "silenced", detail };
    }
    // Asked here as well: where they come with the request they may be of a look long ago.
    const silence = concerned(silences).find((each) => isInForce(each, now) && covers(each, proposal, name));
    if (silence === undefined) return null;
    const why = silence.reason === "" ? "" : `: ${silence.reason}`;
    const detail = `${silence.by} silenced it until ${utc(silence.until)} (${silence.id})${why}`;
    return { pass: false, reason: "silenced", detail };
  },
};
