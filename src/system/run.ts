import { execa } from "execa";
import type { Run } from "./system.ts";

const maxOutputBytes = 4 * 1024 * 1024;

/** @param path search path for programs; the process's own when left out. */
export function createRun(path?: string): Run {
  return async (program, args, options = {}) => {
    const result = await execa(program, args, {
      reject: false,
      shell: false,
      timeout: options.timeoutMs ?? 10_000,
      forceKillAfterDelay: 1_000,
      maxBuffer: maxOutputBytes,
      stripFinalNewline: true,
      ...(options.input === undefined ? { stdin: "ignore" as const } : { input: options.input }),
      // Without these a pager, a colour or a translated word could stand in what we parse.
      env: {
        LC_ALL: "C.UTF-8",
        SYSTEMD_COLORS: "0",
        SYSTEMD_PAGER: "",
        TMUX: "",
        ...(path === undefined ? {} : { PATH: path }),
      },
      ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
    });
    return {
      exitCode: result.exitCode ?? null,
      stdout: typeof result.stdout === "string" ? result.stdout : "",
      stderr: typeof result.stderr === "string" ? result.stderr : "",
      timedOut: result.timedOut,
      missing: result.failed && "code" in result && result.code === "ENOENT",
    };
  };
}
