/**
 * `acks.json`: which problems a person has seen and works on, written by `argus ack`. What was announced is not repeated
 * then, until the problem gets worse, another rule finds it as well, or the outage ends. It lies where the silences lie.
 * Nothing is hidden by mistake: a file that cannot be understood is set aside, said aloud and holds nothing back.
 */
import { join } from "node:path";
import * as z from "zod";
import { createStore } from "../system/store.ts";
import type { Files } from "../system/system.ts";
import { Ack } from "../types/ack.ts";
import type { Question } from "./action.ts";
import { isWorse } from "./announced.ts";
import { reasonOf } from "./reason.ts";

export type Outage = Pick<Ack, "key" | "openedAt">;

export const mostAcks = 500;
const File = z.strictObject({ version: z.literal(1), acks: z.array(Ack).max(mostAcks) });
const pathIn = (stateDir: string): string => join(stateDir, "acks.json");

function storeIn(files: Files, stateDir: string, note: (sentence: string) => void) {
  const empty = () => ({ version: 1 as const, acks: [] });
  return createStore<z.infer<typeof File>>({ files, path: pathIn(stateDir), schema: File, empty, note });
}

/** Throws when the file cannot be read. @param note told when a broken file was set aside. */
export const readAcks = (files: Files, stateDir: string, note: (sentence: string) => void): Ack[] =>
  storeIn(files, stateDir, note).load().acks;

/** For the executor, whose cycle goes on: nothing is held back because of a disk that fails. */
export function acksInForce(...[files, stateDir, note]: Parameters<typeof readAcks>): Ack[] {
  try {
    return readAcks(files, stateDir, note);
  } catch (error) {
    note(`${pathIn(stateDir)} could not be read, so nothing counts as acknowledged: ${reasonOf(error)}`);
    return [];
  }
}

export function changeAcks(
  files: Files,
  stateDir: string,
  note: (sentence: string) => void,
  change: (acks: readonly Ack[]) => Ack[],
): void {
  const present = readAcks(files, stateDir, note);
  const acks = change(present);
  if (present.length === 0 && acks.length === 0) return;
  files.makeDirectory(stateDir);
  // One that cannot be read back would void all the others.
  storeIn(files, stateDir, note).save(File.parse({ version: 1, acks }));
}

/** The newest word about a problem counts. */
export const withAck = (acks: readonly Ack[], made: Ack): Ack[] => [...withoutAcks(acks, [made.key]), made];

/** Not one that a person made meanwhile, about the next outage. */
export const withoutEnded = (acks: readonly Ack[], ended: readonly Outage[]): Ack[] =>
  acks.filter((ack) => !ended.some(({ key, openedAt }) => key === ack.key && openedAt === ack.openedAt));

export const withoutAcks = (acks: readonly Ack[], keys: readonly string[]): Ack[] =>
  acks.filter(({ key }) => !keys.includes(key));

/** Holds back what would be a repeat. The first message of an outage, its end, and what a person is asked pass. */
export const notAcknowledged: Question<unknown> = {
  step: "acknowledged",
  ask({ task: { proposal }, history: { acks, announced } }) {
    if (proposal.recovery === true || proposal.question === true) return null;
    const ack = acks.find(({ key }) => key === proposal.problem);
    if (ack === undefined || (proposal.since !== undefined && proposal.since !== ack.openedAt)) return null;
    const entry = announced[proposal.problem];
    const wasAnnounced =
      entry !== undefined && entry.over !== true && entry.at.wallMs >= Date.parse(ack.openedAt);
    if (!wasAnnounced) return null;
    const said = `${ack.by} acknowledged it at ${ack.at}`;
    if (isWorse(proposal.severity, ack.severity))
      return {
        pass: true,
        detail: `${said} as ${ack.severity}, and it has become ${proposal.severity} since`,
      };
    const rule = proposal.source.startsWith("rule:") ? proposal.source.slice("rule:".length) : null;
    if (rule !== null && !ack.rules.includes(rule))
      return { pass: true, detail: `${said}, and the rule ${rule} has found it as well since` };
    const why = ack.note === "" ? "" : `: ${ack.note}`;
    return { pass: false, reason: "duplicate", detail: `${said}, and it is as it was then${why}` };
  },
};
