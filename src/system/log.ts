/** The log: JSON lines by pino into `argus.log` (rotated at 10 MB, 3 kept), and to standard output for the daemon. */
import { join } from "node:path";
import { type Logger, pino } from "pino";
import { fileError } from "./file-error.ts";
import { createLineFile } from "./line-file.ts";
import { printable, stringify } from "./printable.ts";
import { redactDeep } from "./redact/redact.ts";
import type { Files } from "./system.ts";

export type Log = Logger;
export const logPath = (logDir: string): string => join(logDir, "argus.log");
export const rotatedLogs = 3;

/**
 * @param logDir null: no file, only the echo.
 * @param echo gets every line as well; the daemon passes standard output.
 */
export function createLog(files: Files, logDir: string | null, echo?: (line: string) => void): Log {
  const path = logDir === null ? null : logPath(logDir);
  const file =
    path === null
      ? null
      : createLineFile({ files, path, maxBytes: 10_000_000, keep: rotatedLogs, durable: false });
  let saidFull = false;
  const destination = {
    write(written: string): void {
      // Command lines and error texts end up here; secrets in them must not.
      const line = stringify(redactDeep(JSON.parse(written)));
      echo?.(`${line}\n`);
      try {
        file?.append(line);
        saidFull = false;
      } catch (error) {
        // A full disk must not end the watchdog that is there to clean it. Once is enough to say so.
        if (saidFull) return;
        saidFull = true;
        const { message } = fileError("write the log", path ?? "", error);
        process.stderr.write(`${printable(`argus: ${message}; until then it is not written`)}\n`);
      }
    },
  };
  return pino(
    {
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
}
