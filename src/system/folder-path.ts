/** The way to a folder, component by component: who could put another one in its place. */
import { join, resolve } from "node:path";
import { isOpenToAll } from "./refused.ts";
import type { FileStatus, Files } from "./system.ts";

export interface Way {
  /** With every symbolic link followed; what does not exist yet stays as it is. */
  readonly path: string;
  /** The folders on the way that exist, the first one first, without the last one. */
  readonly above: readonly { readonly path: string; readonly status: FileStatus }[];
  /** The last one; null: it does not exist. */
  readonly status: FileStatus | null;
  /** Links that were followed. */
  readonly links: readonly { readonly path: string; readonly uid: number }[];
  /** A link that leads in a circle, or cannot be read; then the rest is not known. */
  readonly deadLink: string | null;
}

/** As many links as the kernel follows (path_resolution(7)). */
const mostLinks = 40;

export function wayTo(files: Pick<Files, "stat" | "tryReadLink">, dir: string): Way {
  const links: { path: string; uid: number }[] = [];
  const above: { path: string; status: FileStatus }[] = [];
  let rest = resolve(dir).split("/").filter(Boolean);
  let path = "/";
  let status = files.stat(path);
  while (rest.length > 0) {
    const next = join(path, rest[0] ?? "");
    const found = status === null ? null : files.stat(next);
    rest = rest.slice(1);
    if (found?.kind !== "link") {
      if (status !== null) above.push({ path, status });
      path = next;
      status = found;
      continue;
    }
    links.push({ path: next, uid: found.uid });
    const target = files.tryReadLink(next);
    if (target === null || links.length > mostLinks)
      return { path: next, above, status: null, links, deadLink: next };
    rest = [...resolve(path, target).split("/").filter(Boolean), ...rest];
    if (status !== null) above.push({ path, status });
    path = "/";
    status = files.stat(path);
  }
  return { path, above, status, links, deadLink: null };
}

/** The first thing on the way that lets another user put a folder of their own in this one's place; null: nothing does. */
export function weakSpot(
  { above, links }: Way,
  trusted: readonly number[],
): { readonly path: string; readonly uid: number; readonly why: "link" | "owner" | "mode" } | null {
  const link = links.find(({ uid }) => !trusted.includes(uid));
  if (link !== undefined) return { ...link, why: "link" };
  for (const { path, status } of above) {
    if (!trusted.includes(status.uid)) return { path, uid: status.uid, why: "owner" };
    if (isOpenToAll(status)) return { path, uid: status.uid, why: "mode" };
  }
  return null;
}
