/** Whose homes there are, out of /etc/passwd (passwd(5)) and /etc/login.defs (login.defs(5)). */
import { normalize } from "node:path";
import { errorCode } from "./files.ts";
import { isWithin, liesBehindNetwork } from "./mounts.ts";
import { ownMounts } from "./proc-bytes.ts";
import { toLatin1 } from "./safe-tree.ts";
import type { Files, System } from "./system.ts";

/** In these lies no home, whatever /etc/passwd says. */
const systemTrees = [
  "/bin",
  "/boot",
  "/dev",
  "/etc",
  "/lib",
  "/lib64",
  "/proc",
  "/run",
  "/sbin",
  "/sys",
  "/tmp",
  "/usr",
  "/var/tmp",
];
/** Nor are these one themselves. */
const systemFolders = new Set([
  "/",
  "/home",
  "/media",
  "/mnt",
  "/nonexistent",
  "/opt",
  "/srv",
  "/var",
  "/var/lib",
]);
/** As shells of people who must not log in. */
const noShell = /\/(?:nologin|false|true|sync|halt|shutdown)$/;

/**
 * @param chosen those of the settings; null: root's, Argus's own user's, and those of all users who may log in.
 * A home on a file system that may not answer is left out, and so is one that belongs to somebody else.
 */
export function homesOf(
  { files, self }: Pick<System, "files" | "self">,
  chosen: readonly string[] | null,
): string[] {
  if (chosen !== null) return [...chosen];
  const defs = files.tryRead("/etc/login.defs") ?? "";
  const lowest = limitOf(defs, "UID_MIN", 1_000);
  const highest = limitOf(defs, "UID_MAX", 60_000);
  const users = parseUsers(files.tryRead("/etc/passwd") ?? "");
  const people = users.filter(({ uid, shell }) => uid >= lowest && uid <= highest && !noShell.test(shell));
  const mounts = ownMounts(files) ?? [];
  const candidates = [
    ...users.filter(({ uid }) => uid === 0).slice(0, 1),
    { uid: self.uid, home: self.home },
    ...people,
  ];
  const homes = candidates.filter(
    ({ uid, home }) =>
      isPlausible(home) &&
      !liesBehindNetwork(mounts, toLatin1(files.realPath(home))) &&
      belongsTo(files, home, uid),
  );
  return [...new Set(homes.map(({ home }) => home))];
}

interface User {
  readonly uid: number;
  readonly home: string;
  /** Empty: /bin/sh. */
  readonly shell: string;
}

function parseUsers(text: string): User[] {
  return text.split("\n").flatMap((line) => {
    const [name, , uid = "", , , home = "", shell = ""] = line.split(":");
    if (name === undefined || name === "" || !/^\d+$/.test(uid)) return [];
    return { uid: Number(uid), home: home === "/" ? home : home.replace(/\/+$/, ""), shell: shell.trim() };
  });
}

function limitOf(defs: string, name: string, otherwise: number): number {
  const value = new RegExp(`^\\s*${name}\\s+(\\d+)\\s*$`, "m").exec(defs)?.[1];
  return value === undefined ? otherwise : Number(value);
}

function isPlausible(home: string): boolean {
  return (
    home.startsWith("/") &&
    normalize(home) === home &&
    !systemFolders.has(home) &&
    !systemTrees.some((tree) => isWithin(home, tree))
  );
}

/** What this user may not look at may well be there: the cleaning itself, which may, asks again. */
function belongsTo(files: Files, home: string, uid: number): boolean {
  try {
    const status = files.stat(home);
    return status?.kind === "directory" && status.uid === uid;
  } catch (error) {
    if (errorCode(error) === "EACCES") return true;
    throw error;
  }
}
