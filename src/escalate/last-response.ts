/** `last_response.json` in the log folder: the last reply as it came, for people who want to see the very words. */
import { join } from "node:path";
import { stringify } from "../system/printable.ts";
import { redact, redactDeep } from "../system/redact/redact.ts";
import type { Files } from "../system/system.ts";
import type { Consultation } from "../types/consultation.ts";

export interface LastResponse {
  readonly ts: string;
  readonly cycle: string;
  readonly requestId: string | null;
  readonly stopReason: string | null;
  /** The reply's text; empty when there was none. */
  readonly text: string;
  readonly consultation: Consultation;
}

const maxText = 64_000;

/** Redacted, and readable for Argus's own user alone. Throws when it cannot be written. */
export function writeLastResponse(files: Files, logDir: string, response: LastResponse): void {
  const { text, ...rest } = response;
  // Half a secret at the end would not be recognised.
  const safe = redact(text.slice(0, 2 * maxText));
  const cut = text.length > maxText ? `${safe.slice(0, maxText)}… (+${text.length - maxText})` : safe;
  files.makeDirectory(logDir);
  const whole = redactDeep({ version: 1, ...rest, text: cut });
  files.writeAtomic(join(logDir, "last_response.json"), `${stringify(whole, 2)}\n`, {
    mode: 0o600,
    durable: false,
  });
}
