/** Numbers, times and values as a person reads them. */
import { printable, stringify } from "../system/printable.ts";
import { bytes, dayAndTime, duration, percent, took } from "../types/quantities.ts";
import type { Evidence } from "../types/trail.ts";

export { bytes, dayAndTime, duration, percent, took };

export function count(number: number, one: string, many = `${one}s`): string {
  return `${grouped(number)} ${number === 1 ? one : many}`;
}

/** `12,345` */
export function grouped(number: number): string {
  return String(number).replace(/\B(?=(\d{3})+$)/g, ",");
}

export function ordinal(number: number): string {
  const teen = number % 100 >= 11 && number % 100 <= 13;
  const ending = teen ? "th" : (["th", "st", "nd", "rd"][number % 10] ?? "th");
  return `${number}${ending}`;
}

export const day = (iso: string): string => iso.slice(0, 10);
export const time = (iso: string): string => iso.slice(11, 19);
export const minute = (iso: string): string => iso.slice(0, 16).replace("T", " ");

/** From one ISO time to a later one; 0 when a clock was set back. */
export function secondsFrom(from: string, to: string): number {
  const seconds = (Date.parse(to) - Date.parse(from)) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, seconds) : 0;
}

type Unit = "bytes" | "percent" | "seconds" | "milliseconds" | "hours" | "megabytes per second" | "number";

/** The end of a field's name says what it is counted in. */
function unitOf(path: string): Unit {
  const name = path.slice(path.lastIndexOf(".") + 1);
  if (/bytes(perhour)?$/i.test(name) || name === "rssGrowthPerHour") return "bytes";
  if (/percent$/i.test(name)) return "percent";
  if (/megabytesPerSecond$/i.test(name)) return "megabytes per second";
  if (/milliseconds$/i.test(name)) return "milliseconds";
  if (/seconds$/i.test(name)) return "seconds";
  return /hours$/i.test(name) ? "hours" : "number";
}

const rounded = (value: number, digits: number): string => String(Number(value.toFixed(digits)));

function inUnit(value: number, unit: Unit, exact: boolean): string {
  switch (unit) {
    case "bytes":
      return exact ? `${grouped(Math.round(value))} B` : bytes(value);
    case "percent":
      return exact ? `${rounded(value, 6)} %` : percent(value);
    case "seconds":
      return exact ? `${rounded(value, 3)} s` : duration(value);
    case "milliseconds":
      return `${rounded(value, exact ? 6 : 1)} ms`;
    case "hours":
      return exact ? `${rounded(value, 6)} h` : duration(value * 3600);
    case "megabytes per second":
      return `${rounded(value, exact ? 6 : 1)} MB/s`;
    case "number":
      return rounded(value, exact ? 6 : 2);
  }
}

/** One value of a fact or of a rule, in the unit that the field's name tells. */
export function valueText(value: unknown, path: string, exact = false): string {
  if (value === null || value === undefined) return "not observed";
  if (typeof value === "number") return inUnit(value, unitOf(path), exact);
  if (typeof value === "string") return `"${printable(value).replaceAll('"', '\\"')}"`;
  if (typeof value === "boolean") return String(value);
  if (Array.isArray(value))
    return value.map((each) => valueText(each, path, exact)).join(", ") || "an empty list";
  return stringify(value);
}

/** A number and what it is held against; exact where rounding would make the two look the same. */
export function pair(saw: unknown, wanted: unknown, path: string): { saw: string; wanted: string } {
  const plain = { saw: valueText(saw, path), wanted: valueText(wanted, path) };
  const hidden =
    plain.saw === plain.wanted && typeof saw === "number" && typeof wanted === "number" && saw !== wanted;
  return hidden ? { saw: valueText(saw, path, true), wanted: valueText(wanted, path, true) } : plain;
}

/** By how much a number misses what a rule wants; null where there is no distance. */
export function distance({ operator, saw, wanted }: Evidence): number | null {
  const isOrder = ["lessThan", "lessThanInclusive", "greaterThan", "greaterThanInclusive"].includes(operator);
  return isOrder && typeof saw === "number" && typeof wanted === "number" ? Math.abs(wanted - saw) : null;
}

export function distanceText(evidence: Evidence): string | null {
  const missing = distance(evidence);
  if (missing === null) return null;
  if (missing === 0) return "exactly at the limit";
  const short = `${valueText(missing, evidence.path)}`;
  const exact = /^0( |$)/.test(short) ? valueText(missing, evidence.path, true) : short;
  return evidence.operator.startsWith("greater") ? `${exact} short` : `${exact} too much`;
}
