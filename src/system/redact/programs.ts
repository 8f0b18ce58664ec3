/** Every known program, with where it takes a secret. */
import { type Rule, ruleOf } from "./program-rules.ts";
import { dataPrograms } from "./program-table-data.ts";
import { systemPrograms } from "./program-table-system.ts";

export const programs: ReadonlyMap<string, readonly Rule[]> = read();

function read(): Map<string, Rule[]> {
  const known = new Map<string, Rule[]>();
  for (const [names, rules] of [...dataPrograms, ...systemPrograms]) {
    const parsed = rules.split(" ").map(ruleOf);
    for (const name of names.split(" ")) known.set(name, [...(known.get(name) ?? []), ...parsed]);
  }
  return known;
}

/** Path and ending taken off: `/usr/bin/mysql`, `mysql.exe`, `jenkins-cli.jar`. */
export function programName(word: string): string {
  if (word.length > 200) return "";
  const base = word.slice(Math.max(word.lastIndexOf("/"), word.lastIndexOf("\\")) + 1);
  return /\.(?:exe|jar)$/i.test(base) ? base.slice(0, -4) : base;
}
