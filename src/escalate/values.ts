/** What the conditions saw and the summary does not say, for those who read a message and nothing else. */
import { valueText } from "../report/values.ts";
import type { Evidence } from "../types/trail.ts";

const mostValues = 3;
const mostCharacters = 60;

/** `load.five 12.4, process.user "www-data"`; null: the summary says it all. Flags and what was fixed in advance are no news. */
export function unsaidValues(summary: string, evidence: readonly Evidence[]): string | null {
  const texts = new Map<string, string>();
  for (const { fact, path, operator, saw, result } of evidence) {
    const isNews = typeof saw === "number" || (typeof saw === "string" && saw !== "" && operator !== "equal");
    if (result !== true || !isNews || isSaid(summary, saw, path)) continue;
    const text = valueText(saw, path);
    const name = path === "" ? fact : `${fact}.${path}`;
    texts.set(name, `${name} ${text.length > mostCharacters ? `${text.slice(0, mostCharacters)}…` : text}`);
  }
  const all = [...texts.values()];
  return all.length === 0 ? null : all.slice(0, mostValues).join(", ");
}

/** In any of the forms that a template may give it. */
function isSaid(summary: string, saw: unknown, path: string): boolean {
  if (typeof saw === "string") return summary.includes(saw);
  if (typeof saw !== "number") return false;
  const forms = [String(saw), String(Math.round(saw)), String(Math.round(saw * 100) / 100), saw.toFixed(1)];
  return [...forms, valueText(saw, path)].some((form) => hasWhole(summary, form));
}

/** `5` is not in `15 of 50`. */
function hasWhole(text: string, form: string): boolean {
  for (let at = text.indexOf(form); at !== -1; at = text.indexOf(form, at + 1)) {
    const [before, after] = [text.slice(0, at), text.slice(at + form.length)];
    if (!/[\d.]$/.test(before) && !/^\.?\d/.test(after)) return true;
  }
  return false;
}
