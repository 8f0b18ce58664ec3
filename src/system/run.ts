import { execa } from "execa";
import { createSearch } from "./search-path.ts";
import type { Run } from "./system.ts";

const maxOutputBytes = 4 * 1024 * 1024;
/** From SIGTERM to SIGKILL. */
const graceMs = 1_000;

/** Process groups of the programs that run now. They end with Argus, as children in its own group would. */
const groups = new Set<number>();
let running = 0;

function signalGroup(group: number, signal: "SIGTERM" | "SIGKILL"): void {
  try {
    process.kill(-group, signal);
  } catch {
    // ESRCH: all of it is gone already. EPERM: what is left of it became another user.
  }
}

/** Signals that end a process which does not ask for them. */
const deadly = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Before the program starts: a signal between its start and this would end Argus alone. */
function enter(): void {
  running += 1;
  if (running > 1) return;
  process.once("exit", endAll);
  for (const signal of deadly) process.on(signal, die);
}

function leave(): void {
  running -= 1;
  if (running > 0) return;
  process.off("exit", endAll);
  for (const signal of deadly) process.off(signal, die);
}

function endAll(): void {
  for (const group of groups) signalGroup(group, "SIGTERM");
}

/** Where somebody else listens, that one decides when to end; the exit then takes the programs along. */
function die(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) > 1) return;
  endAll();
  process.off(signal, die);
  process.kill(process.pid, signal);
}

/** @param path search path for programs; the process's own when left out. */
export function createRun(path?: string): Run {
  const isThere = createSearch(path);
  // A folder on the path that this user may not enter makes "permission denied" of "not found" (execvp(3)).
  const isMissing = (code: unknown, program: string): boolean =>
    code === "ENOENT" || (code === "EACCES" && !program.includes("/") && !isThere(program));

  return async (program, args, options = {}) => {
    enter();
    const child = execa(program, args, {
      reject: false,
      shell: false,
      // A group of its own, so that what a program started ends with it when its time is up.
      detached: true,
      maxBuffer: options.maxOutputBytes ?? maxOutputBytes,
      // Not the caller's: with one that this user may not enter (a shell of root's in /root), nothing starts at all.
      cwd: options.directory ?? "/",
      stripFinalNewline: true,
      ...(options.input === undefined ? { stdin: "ignore" as const } : { input: options.input }),
      // Without these a pager, a colour or a translated word could stand in what we parse.
      env: {
        LC_ALL: "C.UTF-8",
        SYSTEMD_COLORS: "0",
        SYSTEMD_PAGER: "",
        TMUX: "",
        ...options.environment,
        NOTIFY_SOCKET: options.notifySocket ?? "",
        ...(path === undefined ? {} : { PATH: path }),
      },
    });
    const timers = new Set<NodeJS.Timeout>();
    const after = (milliseconds: number, act: () => void) => timers.add(setTimeout(act, milliseconds));
    // Whoever inherited the output and lives on would keep us waiting for its end: 40 s for a `sleep 40` in a script.
    const letGo = () => {
      child.stdout?.destroy();
      child.stderr?.destroy();
    };
    let timedOut = false;
    let ending = false;
    const end = () => {
      const { pid } = child;
      if (pid === undefined) return;
      ending = true;
      signalGroup(pid, "SIGTERM");
      after(graceMs, () => {
        signalGroup(pid, "SIGKILL");
        after(graceMs, letGo);
      });
    };
    after(options.timeoutMs ?? 10_000, () => {
      if (child.exitCode !== null) return letGo();
      timedOut = true;
      end();
    });
    child.once("exit", () => after(graceMs, letGo));
    options.signal?.addEventListener("abort", end, { once: true });
    if (options.signal?.aborted === true) end();
    if (child.pid !== undefined) groups.add(child.pid);
    const result = await child;
    for (const timer of timers) clearTimeout(timer);
    options.signal?.removeEventListener("abort", end);
    if (child.pid !== undefined) groups.delete(child.pid);
    leave();
    // The program heeded SIGTERM; something that it started may not have.
    if (ending && child.pid !== undefined) signalGroup(child.pid, "SIGKILL");
    return {
      exitCode: result.exitCode ?? null,
      stdout: typeof result.stdout === "string" ? result.stdout : "",
      stderr: typeof result.stderr === "string" ? result.stderr : "",
      timedOut,
      missing: result.failed && "code" in result && isMissing(result.code, program),
    };
  };
}
