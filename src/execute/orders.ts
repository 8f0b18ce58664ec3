/**
 * A person's word from afar, taken by the process that holds what the word is about, and only from whom the settings
 * name. It goes into the same files as the command line's, each with who said it.
 */

import { oneLine, shortName } from "../system/printable.ts";
import type { Files } from "../system/system.ts";
import { isoTime, type Moment } from "../types/moment.ts";
import { kindOfOrder, type Obeyed, Order } from "../types/orders.ts";
import { utc } from "../types/quantities.ts";
import { changeAcks, mostAcks, readAcks, withAck, withoutAcks } from "./acks.ts";
import { type Approvals, whileWatching, writeDecision } from "./approvals.ts";
import { clearPause, readPause, writePause } from "./pause.ts";
import type { Policy } from "./policy.ts";
import { changeSilences, mostSilences, newSilenceId, readSilences } from "./silences.ts";

export interface Desk {
  readonly files: Files;
  readonly stateDir: string;
  readonly approvals: Approvals;
  readonly policy: Policy;
  readonly now: Moment;
  /** Told what was done and for whom, for the trail. */
  readonly note: (sentence: string) => void;
}

/** Throws only when a file cannot be written. @param raw may come from a process that was taken over. */
export function obey(raw: unknown, desk: Desk): Obeyed {
  const parsed = Order.safeParse(raw);
  if (!parsed.success) return no("that is no order that the executor knows");
  const order = parsed.data;
  const by = `${shortName(order.by.name, 64)} (Telegram ${order.by.user})`;
  const { answering } = desk.policy;
  const may = answering?.users.includes(order.by.user) ? answering.may : [];
  if (!may.includes(kindOfOrder[order.order])) {
    desk.note(`${by} may not ${order.order} here, and wanted to`);
    return no(`you may not ${order.order} here: see telegram in argus.json`);
  }
  const obeyed = take(order, by, desk);
  if (obeyed.done) desk.note(`${by}: ${obeyed.text}`);
  return obeyed;
}

const no = (text: string): Obeyed => ({ done: false, text });
const yes = (text: string): Obeyed => ({ done: true, text });

function take(order: Order, by: string, desk: Desk): Obeyed {
  const { files, stateDir, now, note } = desk;
  switch (order.order) {
    case "approve":
      return decide(order, by, desk);
    case "silence":
      return silence(order, by, desk);
    case "unsilence": {
      const silence = readSilences(files, stateDir, now, note).find(({ id }) => id === order.id);
      if (silence === undefined) return no(`there is no silence ${oneLine(order.id, 16)}`);
      // It holds the hand that acts: only who stands at the machine lets go of it.
      if (silence.actions)
        return no(`${silence.by} made it with --actions: argus silence remove ${order.id}`);
      changeSilences(files, stateDir, now, note, (all) => all.filter(({ id }) => id !== order.id));
      return yes(`ended the silence ${order.id}; the next cycle notifies about what is still there`);
    }
    case "ack":
      return acknowledge(order, by, desk);
    case "unack":
      if (readAcks(files, stateDir, note).every(({ key }) => key !== order.key))
        return no(`${order.key} is not acknowledged`);
      changeAcks(files, stateDir, note, (acks) => withoutAcks(acks, [order.key]));
      return yes(`${order.key} is not acknowledged any more; it is told again as before`);
    case "pause": {
      const until = order.seconds === null ? null : isoTime(after(now, order.seconds));
      writePause(files, stateDir, { until, reason: "by Telegram", since: isoTime(now), by }, note);
      const when = until === null ? "until /resume" : `until ${utc(until)}`;
      return yes(`paused ${when}: no restarts, kills or cleaning; alerts and notes go on`);
    }
    case "resume": {
      const pause = readPause(files, stateDir, now);
      if (!clearPause(files, stateDir, note) || pause === null) return no("Argus was not paused");
      return yes(`resumed; it was paused since ${utc(pause.since)} (${pause.reason})`);
    }
  }
}

function decide(
  { id, yes: isYes }: Extract<Order, { order: "approve" }>,
  by: string,
  { files, stateDir, approvals, policy, now }: Desk,
): Obeyed {
  const asked = approvals.list(now).find((each) => each.id === id);
  if (asked === undefined) return no(`nothing waits under the id ${oneLine(id, 16)} any more`);
  const { type, target } = asked.proposal;
  const deed = target === undefined ? type : `${type} ${target}`;
  writeDecision(files, stateDir, id, { yes: isYes, by, at: isoTime(now) });
  if (isYes && policy.mode === "watch") return yes(`approved ${id}: ${whileWatching(deed)}`);
  return yes(
    isYes
      ? `approved ${id}: ${deed}; the next cycle does it, if it is still called for`
      : `denied ${id}: ${deed} is not done, and nobody is asked about it again for a while`,
  );
}

function silence(
  { key, seconds }: Extract<Order, { order: "silence" }>,
  by: string,
  { files, stateDir, now, note }: Desk,
): Obeyed {
  const present = readSilences(files, stateDir, now, note);
  if (present.length >= mostSilences)
    return no(`${mostSilences} silences are in force, and there may be no more; /unsilence ends one`);
  const made = {
    id: newSilenceId(present),
    match: { key },
    since: isoTime(now),
    until: isoTime(after(now, seconds)),
    reason: "by Telegram",
    by,
    actions: false,
  };
  changeSilences(files, stateDir, now, note, (all) => [...all, made]);
  return yes(`silenced ${key} until ${utc(made.until)} (/unsilence ${made.id}); the watching goes on`);
}

function acknowledge(
  { problem }: Extract<Order, { order: "ack" }>,
  by: string,
  { files, stateDir, now, note }: Desk,
): Obeyed {
  const made = { ...problem, by, at: isoTime(now), note: "by Telegram" };
  if (withAck(readAcks(files, stateDir, note), made).length > mostAcks)
    return no(`${mostAcks} problems are acknowledged, and there may be no more`);
  changeAcks(files, stateDir, note, (acks) => withAck(acks, made));
  return yes(
    `acknowledged ${problem.key}: it is not told again until it changes or ends (/unack ${problem.key})`,
  );
}

const after = (now: Moment, seconds: number): Moment => ({ ...now, wallMs: now.wallMs + seconds * 1000 });
