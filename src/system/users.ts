/** Names of users by their number, out of /etc/passwd (passwd(5)). Users from elsewhere keep their number. */
import type { Files } from "./system.ts";

/** @returns a function that looks whether the file changed, and one that then names users without looking again. */
export function createUsers(files: Files): () => (uid: number) => string {
  let names = new Map<number, string>();
  let version = "";
  return () => {
    const status = files.stat("/etc/passwd");
    const present = status === null ? "" : `${status.modifiedMs}:${status.sizeBytes}:${status.inode}`;
    if (present !== version) {
      names = parsePasswd(files.tryRead("/etc/passwd") ?? "");
      version = present;
    }
    return (uid) => names.get(uid) ?? String(uid);
  };
}

/** Of a group, out of /etc/group (group(5)); null: it has none there. */
export function groupName(files: Files, gid: number): string | null {
  // Name, password and number stand where they stand in /etc/passwd.
  return parsePasswd(files.tryRead("/etc/group") ?? "").get(gid) ?? null;
}

/** The first name of a number counts, as for getpwuid(3). */
export function parsePasswd(text: string): Map<number, string> {
  const names = new Map<number, string>();
  for (const line of text.split("\n")) {
    const [name, , uid] = line.split(":");
    if (name === undefined || name === "" || uid === undefined || !/^\d+$/.test(uid)) continue;
    if (!names.has(Number(uid))) names.set(Number(uid), name);
  }
  return names;
}
