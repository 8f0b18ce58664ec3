/** Whether a user may be given to a program that nobody trusts (passwd(5), group(5)). */
import type { Files } from "../system/system.ts";

/** Membership in one of these is as good as root, or reads what only root should. */
const privileged = new Set([
  "root",
  "sudo",
  "wheel",
  "admin",
  "adm",
  "docker",
  "lxd",
  "incus-admin",
  "libvirt",
  "disk",
  "shadow",
  "argus",
]);

/** One sentence why not; null: it may. */
export function accountFault(files: Files, user: string): string | null {
  const users = rowsOf(files, "/etc/passwd");
  const row = users.find(([name]) => name === user);
  if (row === undefined) return `there is no user ${user} in /etc/passwd`;
  const [, , uid, gid] = row;
  if (Number(uid) === 0) return `${user} is root`;
  if (users.some(([name, , number]) => name === "argus" && Number(number) === Number(uid)))
    return `${user} is the user of Argus itself`;
  const groups = rowsOf(files, "/etc/group").filter(
    ([, , number, members = ""]) => number === gid || members.split(",").includes(user),
  );
  const [bad] = groups.flatMap(([name = ""]) => (privileged.has(name) ? [name] : []));
  return bad === undefined ? null : `${user} belongs to the group ${bad}, which is as good as root`;
}

/** null: it has none that could be named to systemd. */
export function homeOf(files: Files, user: string): string | null {
  const home = rowsOf(files, "/etc/passwd").find(([name]) => name === user)?.[5] ?? "";
  return /^\/[\w.@+/-]+$/.test(home) ? home : null;
}

const rowsOf = (files: Files, path: string): string[][] =>
  (files.tryRead(path) ?? "").split("\n").map((line) => line.split(":"));
