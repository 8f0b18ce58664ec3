/**
 * Where programs take a secret in their arguments, or at standard input, when no telling name stands beside it.
 *
 * A row is names of programs and rules. `-p`: the word after it. `-p*`: in the same word. `-p?`: either. `-u:`:
 * what follows the first `:` of `user:secret` there, also with `%`, `,` or `/` in its place. `+-r`: takes a value that is
 * no secret. `@2`: the second argument that is no flag; `@last`. `word!`: what follows that word. `=*`: the values of all
 * NAME=value. `~`: the word after a telling name. `<`: all of standard input. `login>-p`: only after that word, or words joined by `/`; `@` counts from there.
 */
export type ProgramTable = readonly (readonly [names: string, rules: string])[];

export interface Rule {
  /** Words that must stand before, in this order. */
  readonly after: readonly string[];
  readonly kind:
    | "next"
    | "attached"
    | "both"
    | "part"
    | "positional"
    | "last"
    | "keyword"
    | "values"
    | "named"
    | "stdin"
    | "takes";
  readonly name: string;
  /** Of `part`: what stands between user and secret; of a positional: its number. */
  readonly mark: string;
  readonly number: number;
}

export function ruleOf(text: string): Rule {
  const cut = text.lastIndexOf(">");
  const after = cut < 0 ? [] : text.slice(0, cut).split("/");
  const rule = cut < 0 ? text : text.slice(cut + 1);
  const of = (kind: Rule["kind"], name: string, mark = "", number = 0): Rule => ({
    after,
    kind,
    name,
    mark,
    number,
  });
  if (rule === "<") return of("stdin", "");
  if (rule === "~") return of("named", "");
  if (rule === "=*") return of("values", "");
  if (rule === "@last") return of("last", "");
  const positional = /^@(\d)([:/]?)$/.exec(rule);
  if (positional !== null) return of("positional", "", positional[2], Number(positional[1]));
  if (rule.startsWith("+-")) return of("takes", rule.slice(1));
  const last = rule.at(-1) ?? "";
  const name = rule.slice(0, -1);
  if (last === "!") return of("keyword", name.toLowerCase());
  if (last === "*") return of("attached", name);
  if (last === "?") return of("both", name);
  if (":%,".includes(last) && !rule.startsWith("/")) return of("part", name, last);
  return of("next", rule);
}
