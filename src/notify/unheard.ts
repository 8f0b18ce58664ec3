/** The end of a problem is told on a channel only when its alert was: what else would it be the end of? */
import { countsOf, explainCommand, labelOf } from "../system/message-words.ts";
import type { OutboxMessage, ProblemNote } from "../types/action.ts";
import { mostUnheard } from "./delivery-state.ts";
import type { Digest } from "./digest.ts";
import type { Waiting } from "./outbox.ts";

/** Keys of the problems that a message alerts about. */
export function alertedIn({ notes, problems, daily }: OutboxMessage): readonly string[] {
  if (daily !== undefined) return [];
  return notes === undefined ? problems : keysOf(notes, "firing");
}

export const keysOf = (notes: readonly ProblemNote[], wanted: ProblemNote["state"]): string[] =>
  notes.filter(({ state }) => state === wanted).map(({ problem }) => problem);

/** @param heard keys whose alert it has now. @param refused keys whose alert it will not get. */
export function unheardAfter(
  unheard: readonly string[],
  { heard = [], refused = [] }: { heard?: readonly string[]; refused?: readonly string[] },
): string[] {
  const left = unheard.filter((key) => !heard.includes(key));
  return [...new Set([...left, ...refused])].slice(-mostUnheard);
}

/**
 * What there is to say when ends that nobody waits for are left out.
 * @param waiting in the order in which it is sent: what is alerted again is heard from then on.
 */
export function heardParts(
  waiting: readonly Waiting[],
  unheard: readonly string[],
): { said: Waiting[]; silent: Waiting[] } {
  const open = new Set(unheard);
  const said: Waiting[] = [];
  const silent: Waiting[] = [];
  for (const each of waiting) {
    const message = open.size === 0 ? each.message : without(each.message, open);
    if (message === null) silent.push(each);
    else said.push({ ...each, message });
    for (const key of alertedIn(each.message)) open.delete(key);
  }
  return { said, silent };
}

/** What was repaired before anybody was alerted is news in itself. */
const isEnd = ({ state, ending }: ProblemNote): boolean => state === "resolved" && ending !== "repaired";

/** @returns null: nothing is left of it. */
function without(message: OutboxMessage, unheard: ReadonlySet<string>): OutboxMessage | null {
  const { notes = [] } = message;
  const gone = notes.filter((note) => isEnd(note) && unheard.has(note.problem));
  if (gone.length === 0) return message;
  if (gone.length === notes.length) return null;
  const rest = notes.filter((note) => !gone.includes(note));
  const problems = message.problems.filter((key) => rest.some(({ problem }) => problem === key));
  const text = withoutBlocks(message.text, gone).replace(countsOf(notes), countsOf(rest));
  return { ...message, notes: rest, problems, text };
}

/** A block ends with the command that explains it; a short line holds it. */
function withoutBlocks(text: string, gone: readonly ProblemNote[]): string {
  const isAbout = (said: string): boolean =>
    gone.some((note) => said.startsWith(`${labelOf(note)} `) && said.includes(explainCommand(note.problem)));
  const blocks = text.split("\n\n").map((block) => {
    const lines = block.split("\n");
    const isList = lines.filter((line) => line.includes(" — argus explain ")).length > 0;
    if (isList) return lines.filter((line) => !isAbout(line)).join("\n");
    return isAbout(block) ? "" : block;
  });
  return blocks.filter((block) => block !== "").join("\n\n");
}

/** @returns null: nothing is left of it. */
export function heardDigest(digest: Digest | null, unheard: readonly string[]): Digest | null {
  if (digest === null || unheard.length === 0) return digest;
  const all = Object.entries(digest.entries);
  const entries = all.filter(([key, { note }]) => !(note !== null && isEnd(note) && unheard.includes(key)));
  if (all.length > 0 && entries.length === 0 && digest.unnamed.length === 0) return null;
  return { ...digest, entries: Object.fromEntries(entries) };
}
