/** The law of imports, over a list of source files. Pure: the same function judges src/ and the cases against it. */
import { dirname, join, normalize } from "node:path";
import { importsOf, type SourceFile, withoutComments } from "./imports.ts";

/** Folders import only downwards in this list. */
export const folders = [
  "cli",
  "collect",
  "detect",
  "escalate",
  "execute",
  "notify",
  "record",
  "report",
  "serve",
  "system",
  "types",
];
const stages = new Set(["collect", "detect", "escalate", "execute", "notify", "record"]);

/** What touches nothing, or only what it is given. */
const harmlessBuiltins = new Set([
  "node:assert",
  "node:buffer",
  "node:crypto",
  "node:events",
  "node:os",
  "node:path",
  "node:string_decoder",
  "node:timers/promises",
  "node:url",
  "node:util",
]);

/** Where a package may be imported. */
const packages: Readonly<Record<string, readonly string[]>> = {
  zod: [...folders, ""],
  "json-rules-engine": ["detect"],
  "safe-regex2": ["detect"],
  "@anthropic-ai/sdk": ["escalate"],
  "p-retry": ["escalate", "notify"],
  commander: ["cli"],
  execa: ["system"],
  "fastest-levenshtein": ["system"],
  "jsonc-parser": ["system"],
  pino: ["system"],
};

/** Ways out of the process, and who may take them: what leaves is printable, because one file makes it so. */
const exits: readonly { readonly what: RegExp; readonly files: readonly string[]; readonly says: string }[] =
  [
    {
      what: /\bJSON\s*\.\s*stringify\b/,
      // Besides the one place: identities, which must stay what they were, and the lock, which holds no text of others.
      files: ["system/printable.ts", "system/problem-key.ts", "detect/compile.ts", "record/lock.ts"],
      says: "calls JSON.stringify; stringify of system/printable.ts lets no control character out",
    },
    {
      what: /\bprocess\s*\.\s*std(?:out|err)\s*\.\s*write\b|\bconsole\s*\./,
      files: ["cli/terminal.ts", "system/log.ts"],
      says: "writes to the terminal by itself; cli/terminal.ts does it",
    },
  ];

const mostLines = 400;

/** @returns one sentence for each violation, with the file in front; none for lawful files. */
export function violations(files: readonly SourceFile[]): string[] {
  const known = new Set(files.map(({ path }) => path));
  return files.flatMap((file) => violationsOf(file, known).map((what) => `${file.path} ${what}`));
}

/** `detect` of `detect/judge.ts`; empty for a file at the top. */
const folderOf = (path: string): string => (path.includes("/") ? (path.split("/")[0] ?? "") : "");

function violationsOf(file: SourceFile, known: ReadonlySet<string>): string[] {
  const folder = folderOf(file.path);
  const { specifiers, unclear } = importsOf(file);
  const found = [...unclear];
  if (folder !== "" && !folders.includes(folder))
    found.push(`lies in ${folder}/, which the law does not know`);
  for (const specifier of specifiers) {
    const what = specifier.startsWith(".") ? ofOwn(file, specifier, known) : ofOthers(folder, specifier);
    if (what !== null) found.push(what);
  }
  const code = withoutComments(file.text);
  if (
    folder !== "system" &&
    /\bprocess\s*\.\s*kill\b|\bprocess\s*\[|\{[^}]*\bkill\b[^}]*\}\s*=\s*process\b/.test(code)
  ) {
    found.push("calls process.kill, which only system/ may");
  }
  for (const { what, files, says } of exits)
    if (!files.includes(file.path) && what.test(code)) found.push(says);
  const lines = file.text.replace(/\n$/, "").split("\n").length;
  if (lines > mostLines) found.push(`has ${lines} lines; at most ${mostLines}`);
  return found;
}

function ofOwn({ path }: SourceFile, specifier: string, known: ReadonlySet<string>): string | null {
  const target = normalize(join(dirname(path), specifier));
  if (target.startsWith("..")) return `imports ${specifier}, which is not in src/`;
  if (!known.has(target)) return `imports ${specifier}, which is not there`;
  const [from, to] = [folderOf(path), folderOf(target)];
  if (to === "") {
    return from === "" || from === "cli" ? null : `imports ${target}, a file at the top, which only cli/ may`;
  }
  if (from === "" || from === to) return null;
  if (stages.has(from) && stages.has(to)) return `imports ${target}: stages never import one another`;
  if (folders.indexOf(to) < folders.indexOf(from)) return `imports ${target}, upwards`;
  return null;
}

function ofOthers(folder: string, specifier: string): string | null {
  if (specifier.startsWith("node:")) {
    if (folder === "types") return `imports ${specifier}; types/ imports only zod`;
    if (folder === "system" || harmlessBuiltins.has(specifier)) return null;
    return `imports ${specifier}, which only system/ may`;
  }
  const [first = "", second = ""] = specifier.split("/");
  const name = first.startsWith("@") ? `${first}/${second}` : first;
  if (folder === "types" && name !== "zod") return `imports ${specifier}; types/ imports only zod`;
  const places = Object.hasOwn(packages, name) ? packages[name] : undefined;
  if (places === undefined) return `imports ${specifier}, a package that the law does not know`;
  return places.includes(folder) ? null : `imports ${specifier}, which only ${places.join("/ and ")}/ may`;
}
