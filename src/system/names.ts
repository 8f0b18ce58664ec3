/** Words for people who mistyped a name or a value. */
import { distance } from "fastest-levenshtein";
import { stringify } from "./printable.ts";

/** `; did you mean "usedPercent"?`, or the list when nothing is near; empty when there is nothing to choose from. */
export function nearest(name: string, known: Iterable<string>): string {
  const names = [...new Set(known)];
  const near = nearestOf(name, names);
  if (near !== null) return `; did you mean "${near}"?`;
  return names.length === 0 ? "" : `; known: ${names.join(", ")}`;
}

/** null: none is near enough to be what was meant. */
export function nearestOf(name: string, names: readonly string[]): string | null {
  const wanted = name.toLowerCase();
  const ranked = names.map((each) => ({ each, far: distance(wanted, each.toLowerCase()) }));
  ranked.sort((a, b) => a.far - b.far);
  const best = ranked[0];
  // With two letters of three changed, "gt" would be "in".
  const tolerance = wanted.length < 4 ? 1 : Math.max(2, Math.floor(wanted.length / 3));
  if (best !== undefined && best.far <= tolerance && best.far < wanted.length) return best.each;
  if (wanted.length < 2) return null;
  const begins = names.find((each) => each.toLowerCase().startsWith(wanted));
  if (begins !== undefined) return begins;
  return (wanted.length < 4 ? undefined : names.find((each) => each.toLowerCase().includes(wanted))) ?? null;
}

const mostCharacters = 80;

/** A value as JSON, which also makes control characters harmless; long ones are cut. */
export function quoted(value: unknown): string {
  const text = value === undefined ? "undefined" : stringify(value);
  return text.length > mostCharacters ? `${text.slice(0, mostCharacters)}…` : text;
}
