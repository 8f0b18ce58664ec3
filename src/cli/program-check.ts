/**
 * What can be seen of a channel's program before it is needed. The daemon runs it in the sandbox of argus.service, where
 * no program gets the rights of another user or group (NoNewPrivileges): `sudo`, a queue of Postfix or Exim, `ping`.
 */
import { basename } from "node:path";
import { reach } from "../system/reach.ts";
import type { Files, System } from "../system/system.ts";

/** systemd's own for its services (systemd.exec(5), "Environment variables"). */
const servicePath = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
const setUid = 0o4000;
const setGid = 0o2000;
const mostBytes = 65_536;
const mostPrograms = 200;

/** They have no special rights themselves, and hand mail to a program that has. */
const mailers = ["sendmail", "mail", "mailx", "bsd-mailx", "s-nail", "mutt", "newmail"];
const queues = ["/usr/sbin/postdrop", "/usr/sbin/exim4", "/usr/sbin/exim", "/usr/sbin/sendmail"];

/** @returns one clause; null: it is there, or this user cannot tell. */
export function missingProgram(
  { files, hasProgram }: Pick<System, "files" | "hasProgram">,
  program: string,
  isInstalled: boolean,
): string | null {
  const isThere = isInstalled
    ? found(files, program) !== null || isHidden(files, program)
    : hasProgram(program);
  return isThere ? null : `${program} does not exist here`;
}

/** @returns one sentence about a program that the sandbox takes rights from; null: none was seen. */
export function rightsNeeded(files: Files, argv: readonly string[]): string | null {
  for (const word of programsOf(files, argv)) {
    const path = found(files, word);
    if (path === null) continue;
    const own = specialRight(files, path);
    const lost = "which no program gets in the sandbox of argus.service";
    if (own !== null) return `${word} runs with the rights of another ${own}, ${lost}`;
    if (!mailers.includes(basename(path))) continue;
    const queue = queues.find((each) => specialRight(files, each) !== null);
    if (queue !== undefined)
      return `${word} hands mail to ${queue}; that runs with the rights of another ${specialRight(files, queue)}, ${lost}`;
  }
  return null;
}

/** The program, and what it is seen to run: by a script, or in the words of `sh -c`. */
function programsOf(files: Files, [program = "", ...args]: readonly string[]): string[] {
  const path = found(files, program);
  const head = path === null ? null : files.tryReadHead(path, mostBytes);
  const isShell = /^(?:ba|da|k|z)?sh$/.test(basename(program));
  const texts = [head?.startsWith("#!") ? head : "", isShell ? args.join("\n") : ""];
  return [program, ...new Set(texts.flatMap(programsIn))].slice(0, mostPrograms);
}

/** Whole paths anywhere, and names where a command begins. */
function programsIn(text: string): string[] {
  const code = text.replace(/^\s*#.*$/gm, "");
  const paths = code.matchAll(/(?:^|[\s"'`=|;&(])(\/[\w./+-]+)/gm);
  const names = code.matchAll(/(?:^|[|;&(`]|\b(?:then|do|else|exec|if|!)\s)[ \t]*([a-z][\w.+-]*)/gm);
  return [...paths, ...names].map(([, word = ""]) => word);
}

function found(files: Files, program: string): string | null {
  const paths = program.includes("/") ? [program] : servicePath.map((folder) => `${folder}/${program}`);
  return paths.find((path) => path.startsWith("/") && reach(files, path).kind === "file") ?? null;
}

const isHidden = (files: Files, program: string): boolean =>
  program.startsWith("/") && reach(files, program).kind === "forbidden";

function specialRight(files: Files, path: string): "user" | "group" | null {
  const reached = reach(files, path);
  if (reached.kind !== "file") return null;
  if ((reached.status.mode & setUid) !== 0) return "user";
  return (reached.status.mode & setGid) !== 0 ? "group" : null;
}
