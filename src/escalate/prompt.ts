/** The operator's words to the model, read at each call so that an edit needs no restart. */

import { fileError } from "../system/file-error.ts";
import type { Files } from "../system/system.ts";
import { UserError } from "../types/errors.ts";
import { bytes } from "../types/quantities.ts";

const maxBytes = 200_000;

/** @throws UserError that names the file. */
export function readPrompt(files: Files, path: string): string {
  const text = headOf(files, path);
  if (text === null)
    throw new UserError(`${path} cannot be read; the model is told there what it is (ARGUS_PROMPT_FILE)`);
  if (text.trim() === "")
    throw new UserError(`${path} is empty; the model is told there what it is (ARGUS_PROMPT_FILE)`);
  if (Buffer.byteLength(text) > maxBytes)
    throw new UserError(`${path} is larger than ${bytes(maxBytes)}, which no prompt needs`);
  return text;
}

function headOf(files: Files, path: string): string | null {
  try {
    return files.tryReadHead(path, maxBytes + 1);
  } catch (error) {
    throw fileError("read", path, error);
  }
}
