/**
 * What a channel refuses as it was written, in forms that it is more likely to take. Which word, character, length or
 * field it minds nobody knows, so there are two steps down: plain and short, then one line that says only how much there is.
 */
import { countsOf, explainCommand, labelOf } from "../system/message-words.ts";
import { shortened } from "../system/printable.ts";
import type { ProblemNote } from "../types/action.ts";
import type { Parcel, Sent } from "./channels/channel.ts";

/** With its head and its last line below 1000 characters, which nobody refuses who takes alerts at all. */
const mostCharacters = 700;
const mostSummary = 160;
const mostSubject = 100;
const mostWhy = 120;
/** Of what an older Argus wrote without an end. */
const mostParts = 12;

/**
 * @param answer to the message as it was written.
 * @param send null: there is no time left.
 * @param mayBeTheMessage whether another form is worth a try after this answer.
 */
export async function inShorterForms(
  parcel: Parcel,
  answer: Sent,
  send: (form: Parcel) => Promise<Sent | null>,
  mayBeTheMessage: (answer: Sent) => boolean,
): Promise<Sent> {
  if (answer.kind === "sent") return answer;
  const { error } = answer;
  let last: Sent = answer;
  for (const forms of [shortForms(parcel, error), [minimalForm(parcel)]]) {
    for (const form of forms) {
      const said = await send(form);
      if (said === null) return { kind: "later", error, blockedMs: 0 };
      last = said;
      if (last.kind !== "sent") break;
    }
    if (last.kind === "sent") return { ...last, note: `${error}; it took the message in a shorter form` };
    if (!mayBeTheMessage(last)) return last;
  }
  return answer.kind === "later" ? answer : { ...last, error };
}

/** Plain and short: each problem with its first line and its command, in as many messages as that takes. */
function shortForms(parcel: Parcel, why: string): Parcel[] {
  const { text, notes, host } = parcel;
  const blocks = notes.length === 0 ? [text.slice(0, mostCharacters)] : notes.map(blockOf);
  const packed = pack(blocks);
  const kept = packed.slice(0, mostParts);
  const left = notes.length - kept.flat().length;
  const late = /^\(delivered late, [^)]*\)/.exec(text)?.[0];
  return kept.map((indexes, part) => {
    const own = indexes.flatMap((index) => notes[index] ?? []).map(shortNote);
    const head = own.length === 0 ? [] : [`${host}: ${countsOf(own)}`];
    const more = part === kept.length - 1 && left > 0 ? [`and ${left} more: argus problems`] : [];
    const last = `(shortened: ${shortened(why, mostWhy)}; in full: ${notes.length === 0 ? "argus status" : "argus problems"})`;
    const lines = [late ?? [], head, ...indexes.map((index) => blocks[index] ?? ""), more, last].flat();
    return { ...bare(parcel, `short-${part + 1}`), text: plain(lines.join("\n")), notes: own };
  });
}

/** One line of letters, digits, points and commas. */
function minimalForm(parcel: Parcel): Parcel {
  const host = parcel.host.replace(/[^A-Za-z0-9.-]/g, "-").slice(0, 64);
  const what = parcel.notes.length === 0 ? "1 message" : countsOf(parcel.notes);
  return { ...bare(parcel, "line"), host, text: `${host}: ${what}, see argus problems`, notes: [] };
}

/** A kind and an id of its own: a server may refuse a kind that it does not know, and an id that it has seen. */
function bare(parcel: Parcel, suffix: string): Omit<Parcel, "text" | "notes"> {
  const { id, files, createdAt, host, severity } = parcel;
  return {
    kind: "message",
    id: `${id}-${suffix}`,
    files,
    createdAt,
    host: plain(host),
    severity,
    plain: true,
  };
}

function blockOf(note: ProblemNote): string {
  const asked = (note.approvals ?? []).map((id) => `argus approve ${id}`);
  const said = `${labelOf(note)} ${shortened(note.summary, mostSummary)}`;
  return [said, ...asked, explainCommand(note.problem)].join("\n");
}

const shortNote = ({
  problem,
  type,
  subject,
  severity,
  state,
  at,
  summary,
  since,
}: ProblemNote): ProblemNote => ({
  problem,
  type,
  subject: shortened(subject, mostSubject),
  severity,
  state,
  at,
  summary: shortened(summary, mostSummary),
  ...(since === undefined ? {} : { since }),
});

/** @returns which blocks stand together. */
function pack(blocks: readonly string[]): number[][] {
  const parts: number[][] = [];
  let length = 0;
  for (const [index, block] of blocks.entries()) {
    if (parts.length === 0 || length + block.length > mostCharacters) {
      parts.push([]);
      length = 0;
    }
    parts.at(-1)?.push(index);
    length += block.length + 1;
  }
  return parts;
}

/** ASCII without what Markdown or HTML make something of: names lose their accents and underscores, and stay readable. */
function plain(text: string): string {
  return text
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .replace(/[‘’‚′]/g, "'")
    .replace(/[“”„]/g, '"')
    .replace(/[–—]/g, "-")
    .replace(/</g, "(")
    .replace(/>/g, ")")
    .replace(/[&*_`[\]~]/g, " ")
    .replace(/[^\n\x20-\x7e]/g, "?");
}
