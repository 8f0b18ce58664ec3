/** Recurring windows of the settings in which nobody is told, and, if the window says so, nothing is done. Pure. */
import type { Proposal } from "../types/action.ts";
import type { Maintenance } from "../types/maintenance.ts";
import type { Moment } from "../types/moment.ts";

const days = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] as const;

/**
 * By the clock on the wall of its time zone: an hour that the change to summer time leaves out is simply not there, and
 * one that comes twice counts twice. A window whose end is before its beginning goes over midnight and belongs to the
 * day on which it begins.
 */
export function isOpenAt({ days: wanted, from, to, timeZone }: Maintenance, { wallMs }: Moment): boolean {
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

/** The first window that is open and about this; of what it does not name, all fits. */
export function windowFor(
  windows: readonly Maintenance[],
  { source, subject, problemType }: Proposal,
  now: Moment,
): Maintenance | undefined {
  const names = (list: readonly string[] | undefined, value: string) =>
    list === undefined || list.includes(value);
  return windows.find(
    (window) =>
      names(window.rules, source.replace(/^rule:/, "")) &&
      names(window.subjects, subject) &&
      names(window.types, problemType) &&
      isOpenAt(window, now),
  );
}
