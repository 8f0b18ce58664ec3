/** A path of bytes in JSON, which has only text. */
import { fromLatin1 } from "../../system/safe-tree.ts";

/**
 * @param path latin1: a character for each byte.
 * @returns `pathBytes` only where the path is not UTF-8, so that it can be told from one that looks the same.
 */
export function shownBytes(path: string): { path: string; pathBytes?: string } {
  if (!/[\x80-\xff]/.test(path)) return { path };
  const text = fromLatin1(path);
  const isExact = Buffer.from(text, "utf8").toString("latin1") === path;
  return isExact ? { path: text } : { path: text, pathBytes: path };
}
