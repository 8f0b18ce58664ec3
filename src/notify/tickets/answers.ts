/** What `bd` and `br` print, in the shapes that their versions have. Pure: text in, plain data or null out. */
import * as z from "zod";

const Issue = z.looseObject({ id: z.string(), description: z.string().nullish() });

export interface Issue {
  /** null: it has one, but none that may become an argument. */
  readonly id: string | null;
  /** Empty when the tool does not say it. */
  readonly description: string;
}

/** An id comes back as an argument: nothing but what can be no option. */
const safeId = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** A list comes as such, in an envelope `{schema_version, data}`, or as `{issues, total}`. null: it is none of these. */
export function parseIssues(text: string): Issue[] | null {
  // No output at all is how some versions say that there is none.
  if (text.trim() === "") return [];
  const list = listIn(parseJson(text));
  if (list === null) return null;
  return list.flatMap((each) => {
    const issue = Issue.safeParse(each).data;
    return issue === undefined ? [] : [plain(issue)];
  });
}

/** The id of the one that was made: an object, in the envelope or not, or a list of one. null: it does not say. */
export function parseCreated(text: string): string | null {
  const json = unwrapped(parseJson(text));
  const issue = Issue.safeParse(Array.isArray(json) ? json[0] : json).data;
  return issue === undefined ? null : plain(issue).id;
}

const plain = ({ id, description }: z.infer<typeof Issue>): Issue => ({
  id: safeId.test(id) ? id : null,
  description: description ?? "",
});

function listIn(json: unknown): unknown[] | null {
  const inner = unwrapped(json);
  // `null` is how a list without entries is written in Go.
  if (inner === null && json !== undefined) return [];
  return Array.isArray(inner) ? inner : null;
}

function unwrapped(json: unknown): unknown {
  if (typeof json !== "object" || json === null || Array.isArray(json)) return json;
  if ("data" in json && "schema_version" in json) return unwrapped(json.data);
  return "issues" in json ? json.issues : json;
}

/** A warning before the JSON or after it is no part of it. undefined: there is none. */
function parseJson(text: string): unknown {
  for (const candidate of [text, bracketed(text)]) {
    try {
      if (candidate !== null) return JSON.parse(candidate);
    } catch {
      // Not this one.
    }
  }
  return undefined;
}

function bracketed(text: string): string | null {
  const start = text.search(/^[[{]/m);
  const end = Math.max(text.lastIndexOf("]"), text.lastIndexOf("}"));
  return start === -1 || end < start ? null : text.slice(start, end + 1);
}

/** Why it did not do it: the message of its error object, else the first line that it said. Empty: it said nothing. */
export function complaint(stdout: string, stderr: string): string {
  for (const text of [stderr, stdout]) {
    const json = parseJson(text);
    const error = typeof json === "object" && json !== null && "error" in json ? json.error : null;
    if (typeof error === "string") return error;
    if (typeof error === "object" && error !== null && "message" in error) return String(error.message);
  }
  return [stderr, stdout].flatMap((text) => text.split("\n")).find((line) => line.trim() !== "") ?? "";
}

const keyLine = /^Problem key: ([a-z]+:[0-9a-f]{16})\s*$/m;
const hostLine = /^Host: (.*?)\s*$/m;

/** The ticket of a problem on this host: several hosts may share one tracker. */
export function isAbout({ description }: Issue, problem: string, host: string): boolean {
  if (keyLine.exec(description)?.[1] !== problem) return false;
  const named = hostLine.exec(description)?.[1];
  return named === undefined || named === host;
}
