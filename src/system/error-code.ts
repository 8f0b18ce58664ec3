import { UserError } from "../types/errors.ts";

/** `ENOENT` and its like: of a failed operation, or of the one that a sentence is about. Empty: it is about none. */
export function errorCode(error: unknown): string {
  if (error instanceof UserError) return errorCode(error.cause);
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

/** The disk is full, the quota used up, or the file system read-only: later the same may be written. */
export const isNoRoom = (error: unknown): boolean => ["ENOSPC", "EDQUOT", "EROFS"].includes(errorCode(error));
