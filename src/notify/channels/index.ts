/** Every kind of channel there is: a new one is a file here, a row, and its form in types/channels.ts. */
import { printable, printableLines } from "../../system/printable.ts";
import type { ProblemNote } from "../../types/action.ts";
import type { Channel, ChannelAccounts, ChannelType } from "../../types/channels.ts";
import type { Memory } from "../delivery-state.ts";
import { alertmanager } from "./alertmanager.ts";
import type { Attempt, ChannelRow, Parcel, Sent } from "./channel.ts";
import { command } from "./command.ts";
import { relay } from "./relay.ts";
import { telegram } from "./telegram.ts";
import { webhook } from "./webhook.ts";

const rows: { readonly [T in ChannelType]: ChannelRow<T> } = {
  telegram,
  relay,
  webhook,
  alertmanager,
  command,
};

/** A row and its account, so that nobody else need know which belongs to which. */
export interface Way {
  readonly name: string;
  readonly type: ChannelType;
  readonly paceMs: number;
  readonly ownForms: boolean;
  describe(): string;
  send(parcel: Parcel, memory: Memory, attempt: Attempt): Promise<Sent>;
  /** null: there is nothing to say again. */
  refresh(open: ReadonlySet<string>, memory: Memory, attempt: Attempt): Promise<Sent> | null;
}

/**
 * A message may have waited in the outbox since an Argus that let more through. `daily` is data alone, and leaves as JSON.
 */
function printed(parcel: Parcel): Parcel {
  const { host, text, notes } = parcel;
  const printedNote = (note: ProblemNote): ProblemNote => ({
    ...note,
    subject: printable(note.subject),
    summary: printable(note.summary),
    ...(note.advice === undefined ? {} : { advice: printable(note.advice) }),
    ...(note.actionTaken === undefined ? {} : { actionTaken: printable(note.actionTaken) }),
  });
  return { ...parcel, host: printable(host), text: printableLines(text), notes: notes.map(printedNote) };
}

export function wayOf<T extends ChannelType>(channel: ChannelAccounts[T] & Channel): Way {
  const row = rows[channel.type as T];
  return {
    name: channel.name,
    type: channel.type,
    paceMs: row.paceMs,
    ownForms: row.ownForms === true,
    describe: () => row.describe(channel),
    send: (parcel, memory, attempt) => row.send(channel, printed(parcel), memory, attempt),
    refresh: (open, memory, attempt) => row.refresh?.(channel, open, memory, attempt) ?? null,
  };
}
