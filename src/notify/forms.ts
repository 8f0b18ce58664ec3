/**
 * What a channel refuses as it was written, in forms that it is more likely to take. Which word, character, length or
 * field it minds nobody knows, so there are three steps down: plain and short, then each problem alone, then one line that
 * says only how much there is. A problem that only this line is about was not announced.
 */
import { countsOf, explainCommand, labelOf } from "../system/message-words.ts";
import { shortened, stringify } from "../system/printable.ts";
import type { ProblemNote } from "../types/action.ts";
import type { Parcel, Sent } from "./channels/channel.ts";

/** With its head and its last line below 1000 characters, which nobody refuses who takes alerts at all. */
const mostCharacters = 700;
const mostSummary = 160;
const mostSubject = 100;
const mostWhy = 120;
/** Text and data together, for a webhook, whose body holds both. */
const mostWithData = 1400;
/** Of what an older Argus wrote without an end. */
const mostParts = 20;
/** Problems that are refused alone, with none taken, after which the others are not tried. */
const mostRefusedAlone = 8;

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
  const forms = shortForms(parcel, error).map((form) => ({ form, isLast: false }));
  let taken: Extract<Sent, { kind: "sent" }> | null = null;
  let lost: readonly ProblemNote[] = [];
  for (let next = forms.shift(); next !== undefined; next = forms.shift()) {
    const { form, isLast } = next;
    const said = await send(form);
    if (said === null) return { kind: "later", error, blockedMs: 0 };
    if (said.kind === "sent") taken = said;
    else if (!mayBeTheMessage(said)) return said;
    else if (!isLast) forms.unshift(...alone(parcel, form).map((each) => ({ form: each, isLast: true })));
    else lost = [...lost, ...form.notes];
    if (taken === null && lost.length >= mostRefusedAlone) {
      lost = parcel.notes;
      break;
    }
  }
  const note = `${error}; it took the message in a shorter form`;
  if (taken !== null && lost.length === 0) return { ...taken, note };
  const line = await send(minimalForm(parcel, lost));
  if (taken === null) {
    if (line === null) return { kind: "later", error, blockedMs: 0 };
    if (line.kind !== "sent") {
      if (!mayBeTheMessage(line)) return line;
      return answer.kind === "later" ? answer : { ...line, error };
    }
    if (lost.length === 0) return { ...line, note };
  }
  const { memory } = taken ?? {};
  const problems = lost.filter(({ state }) => state === "firing").map(({ problem }) => problem);
  return { kind: "refused", of: "message", error, problems, ...(memory === undefined ? {} : { memory }) };
}

/** Plain and short: each problem with its first line and its command, in as many messages as that takes. */
function shortForms(parcel: Parcel, why: string): Parcel[] {
  const { text, notes, host } = parcel;
  const blocks = notes.length === 0 ? [text.slice(0, mostCharacters)] : notes.map(blockOf);
  const packed = pack(blocks, notes);
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

/** Each problem of a form by itself, by its key: no word that it brought is in it. */
function alone(parcel: Parcel, { id, notes }: Parcel): Parcel[] {
  return notes.map((note, index) => ({
    ...bare(parcel, `${id.slice(parcel.id.length + 1)}-${index + 1}`),
    text: plain(`${parcel.host}: ${countsOf([note])}\n${explainCommand(note.problem)}`),
    notes: [{ ...note, subject: note.problem, summary: explainCommand(note.problem) }],
  }));
}

/** One line of letters, digits, points and commas. */
function minimalForm(parcel: Parcel, notes: readonly ProblemNote[]): Parcel {
  const host = parcel.host.replace(/[^A-Za-z0-9.-]/g, "-").slice(0, 64);
  const what = notes.length === 0 ? "1 message" : countsOf(notes);
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
function pack(blocks: readonly string[], notes: readonly ProblemNote[]): number[][] {
  const parts: number[][] = [];
  let length = 0;
  let dataLength = 0;
  for (const [index, block] of blocks.entries()) {
    const note = notes[index];
    const own = note === undefined ? 0 : stringify(shortNote(note)).length;
    const isFull = length + block.length > mostCharacters;
    if (parts.length === 0 || isFull || length + block.length + dataLength + own > mostWithData) {
      parts.push([]);
      length = 0;
      dataLength = 0;
    }
    parts.at(-1)?.push(index);
    length += block.length + 1;
    dataLength += own;
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
