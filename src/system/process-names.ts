/**
 * What a process was called with: a script that its interpreter has read and closed, the folder of its libraries, of
 * its temporary files. None of it is open, and it is needed all the same.
 */
import { join, normalize } from "node:path/posix";
import { isWithin } from "./mounts.ts";
import { tryLink, tryText } from "./proc-bytes.ts";

/** Set by the shell that started it, and no sign that it is needed. */
const passing = /^(?:PWD|OLDPWD|_)=/;
/** Of a command line or an environment, which may have megabytes. */
const mostCharacters = 256 * 1024;
const mostPaths = 200;
/** Also inside of `--config=/tmp/x`, `a:/tmp/b`, `file:///tmp/x`, `-I/tmp/x`, `sh -c 'run </tmp/x'`. */
const paths = /(?:^-[A-Za-z]|^|[=:,;\s'"(@<>|&[{])(\/[^\0:,;\s'")|&>}\]]*)/g;

/**
 * @param base /proc/PID
 * @param folders absolute, latin1.
 * @returns those below the folders.
 */
export function namedPaths(base: string, folders: readonly string[]): string[] {
  if (folders.length === 0) return [];
  const command = (tryText(`${base}/cmdline`) ?? "").slice(0, mostCharacters);
  const variables = (tryText(`${base}/environ`) ?? "").slice(0, mostCharacters);
  const cwd = tryLink(`${base}/cwd`) ?? "";
  const worksBelow = folders.some((folder) => isWithin(cwd, folder));
  const isBelow = (path: string) => folders.some((folder) => path !== folder && isWithin(path, folder));
  const found = new Set<string>();
  const add = (path: string) => {
    const plain = normalize(path).replace(/^\/+/, "/").replace(/\/+$/, "");
    if (isBelow(plain)) found.add(plain);
  };
  const named = command.split("\0");
  // From /var, `sh tmp/job` is a script in /var/tmp.
  for (const text of cwd.startsWith("/") ? named : [])
    if (text !== "" && !text.startsWith("/") && (worksBelow || text.includes("/"))) add(join(cwd, text));
  // Of hundreds of processes a few say anything of these folders.
  if (!folders.some((folder) => command.includes(folder) || variables.includes(folder)))
    return [...found].slice(0, mostPaths);
  const environment = variables.split("\0");
  for (const text of [...named, ...environment.filter((each) => !passing.test(each))]) {
    if (!text.includes("/")) continue;
    for (const path of [
      text,
      text.slice(text.indexOf("=") + 1),
      ...[...text.matchAll(paths)].map(([, each = ""]) => each),
    ])
      if (path.startsWith("/")) add(path);
  }
  return [...found].slice(0, mostPaths);
}
