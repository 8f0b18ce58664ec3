/** Recurring windows of the settings in which nobody is told, and, if the window says so, nothing is done. Pure. */
import { unitDisplayName } from "../system/systemd.ts";
import type { Proposal } from "../types/action.ts";
import type { Maintenance } from "../types/maintenance.ts";
import type { Moment } from "../types/moment.ts";
import type { Task } from "./action.ts";

const days = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] as const;

/**
 * By the clock on the wall of its time zone: an hour that the change to summer time leaves out is simply not there, and
 * one that comes twice counts twice. A window whose end is before its beginning goes over midnight and belongs to the
 * day on which it begins.
 */
export function isOpenAt(
  { days: wanted, from, to, timeZone }: Pick<Maintenance, "days" | "from" | "to" | "timeZone">,
  { wallMs }: Moment,
): boolean {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone,
    weekday: "short",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
  const parts = new Map(format.formatToParts(wallMs).map(({ type, value }) => [type, value]));
  const today = days.indexOf((parts.get("weekday") ?? "").toLowerCase() as (typeof days)[number]);
  const yesterday = days[(today + 6) % 7];
  const minute = minutesOf(`${parts.get("hour")}:${parts.get("minute")}`);
  const [begin, end] = [minutesOf(from), minutesOf(to)];
  const has = (day: string | undefined) => wanted.some((each) => each === day);
  if (begin < end) return has(days[today]) && minute >= begin && minute < end;
  return (has(days[today]) && minute >= begin) || (has(yesterday) && minute < end);
}

function minutesOf(text: string): number {
  const [hours = 0, minutes = 0] = text.split(":").map(Number);
  return hours * 60 + minutes;
}

/** Of what it does not name, all fits. @param name of the target. @returns the first that is open and about this. */
export function windowFor(
  windows: readonly Maintenance[],
  proposal: Proposal,
  name: Task["name"],
  now: Moment,
): Maintenance | undefined {
  const { source, problemType } = proposal;
  return windows.find(
    ({ rules, subjects, types, ...window }) =>
      (rules === undefined || rules.some((rule) => source === `rule:${rule}`)) &&
      (subjects === undefined || subjects.some((subject) => isAbout(subject, proposal, name))) &&
      (types === undefined || types.includes(problemType)) &&
      isOpenAt(window, now),
  );
}

/** The subject or the target goes by this name; `web.service` and `web` are one. */
export function isAbout(subject: string, proposal: Pick<Proposal, "subject">, name: Task["name"]): boolean {
  const wanted = unitDisplayName(subject);
  return unitDisplayName(proposal.subject) === wanted || (name !== null && String(name) === wanted);
}
