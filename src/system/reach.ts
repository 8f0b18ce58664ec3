/** What a path leads to, symbolic links followed: for files that people put there, and may link from elsewhere. */
import { dirname, resolve } from "node:path";
import { errorCode } from "./files.ts";
import type { FileStatus, Files } from "./system.ts";

export type Reached =
  | { readonly kind: "file" | "directory" | "other"; readonly status: FileStatus }
  /** Nothing is there, or the link leads nowhere. */
  | { readonly kind: "nothing" }
  /** A folder on the way may not be searched by this user. */
  | { readonly kind: "forbidden" };

/** As many links in a row as Linux follows (path_resolution(7)). */
const mostLinks = 40;

export function reach(files: Files, path: string): Reached {
  let at = path;
  for (let links = 0; links <= mostLinks; links += 1) {
    const status = statusOf(files, at);
    if (status === "forbidden") return { kind: "forbidden" };
    if (status === null) return { kind: "nothing" };
    if (status.kind !== "link") return { kind: status.kind, status };
    const target = files.tryReadLink(at);
    if (target === null) return { kind: "nothing" };
    at = resolve(dirname(at), target);
  }
  return { kind: "nothing" };
}

function statusOf(files: Files, path: string): FileStatus | null | "forbidden" {
  try {
    return files.stat(path);
  } catch (error) {
    if (["EACCES", "EPERM"].includes(errorCode(error))) return "forbidden";
    if (["ENOTDIR", "ELOOP", "ENAMETOOLONG"].includes(errorCode(error))) return null;
    throw error;
  }
}

/** Names in a folder, or why there are none. */
export function namesIn(files: Files, folder: string): readonly string[] | "forbidden" {
  try {
    return files.list(folder);
  } catch (error) {
    if (["EACCES", "EPERM"].includes(errorCode(error))) return "forbidden";
    throw error;
  }
}
