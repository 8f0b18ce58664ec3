import { oneLine } from "../system/printable.ts";

/** The sentence of an error, for a person. */
export const reasonOf = (error: unknown): string =>
  oneLine(error instanceof Error ? error.message : String(error), 500);
