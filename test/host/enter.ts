/** How programs get into a booted host. */
import { spawnSync } from "node:child_process";
import { execa } from "execa";
import { childrenOf, type Ground } from "./namespaces.ts";

export interface ExecOptions {
  /** Default 10 000. When it is over, the program and its process group are killed and exitCode is null. */
  readonly timeoutMs?: number;
  readonly input?: string;
  /** Added to PATH, HOME and LANG: nothing of the test's own environment reaches the host. */
  readonly env?: Readonly<Record<string, string>>;
  /** Name of a user of /etc/passwd. Default root. */
  readonly user?: string;
  /** Working directory. Default `/`. */
  readonly cwd?: string;
}

export interface ExecResult {
  /** 128 and the number of the signal when one ended it; null when its time was over. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const environment = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  LANG: "C.UTF-8",
  HOME: "/root",
};

/**
 * The start of a command line that runs the rest of it in the host. A shell waits for the program, not nsenter: at a
 * shutdown systemd stops every process before it ends them, nsenter then stops itself too and is never continued,
 * and the host hangs on a dead process that nobody reaps.
 */
function enter(leader: number, cwd: string, cgroup = "/dev/null"): string[] {
  const nsenter = ["nsenter", "--target", String(leader)];
  return [
    ...nsenter,
    ...["--pid", "--no-fork", "--", "sh", "-c", '"$@"; exit $?', "wait", "setsid"],
    // The program joins the cgroup, not the shell that waits: outside of the pid namespace that one would be a
    // pid 0 in there, at which systemctl gives up with EIO.
    ...["sh", "-c", 'echo 0 > "$0" && exec "$@"', cgroup],
    ...nsenter,
    ...["--mount", "--uts", "--ipc", "--net", "--cgroup", "--time", `--wdns=${cwd}`, "--"],
  ];
}

/** Where a login of root has its processes: without it they would stand in no cgroup that the host knows. */
export function sessionCgroup(ground: Ground): string {
  return `${ground.cgroup}/payload/user.slice/user-0.slice/session-1.scope`;
}

export async function run(
  ground: Ground,
  leader: number,
  argv: readonly string[],
  options: ExecOptions,
): Promise<ExecResult> {
  const { user, home } = asUser(leader, options.user);
  const variables = Object.entries({ ...environment, HOME: home, ...options.env }).map(
    ([key, value]) => `${key}=${value}`,
  );
  const [program = "", ...args] = [
    ...enter(leader, options.cwd ?? "/", `${sessionCgroup(ground)}/cgroup.procs`),
    ...user,
    ...["env", "--ignore-environment", ...variables, ...argv],
  ];
  const child = execa(program, args, {
    reject: false,
    stripFinalNewline: true,
    ...(options.input === undefined ? { stdin: "ignore" as const } : { input: options.input }),
  });
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    // The program with its process group, and not the shell that waits for it: without that one, nobody would reap it.
    for (const group of childrenOf(child.pid ?? 0)) killGroup(group);
    // What left the group may still hold the pipes, and is not waited for.
    child.stdout.destroy();
    child.stderr.destroy();
  }, options.timeoutMs ?? 10_000);
  const result = await child;
  clearTimeout(timer);
  return {
    exitCode: timedOut ? null : (result.exitCode ?? null),
    stdout: result.stdout,
    stderr: result.stderr,
  };
}

/** No error when there is no such group. */
export function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function asUser(leader: number, name: string | undefined): { user: string[]; home: string } {
  if (name === undefined) return { user: [], home: "/root" };
  const row = inside(leader, ["getent", "passwd", name]).trim().split(":");
  const [, , uid = "", gid = "", , home = "/"] = row;
  return { user: ["setpriv", `--reuid=${uid}`, `--regid=${gid}`, "--init-groups", "--"], home };
}

/** Synchronously, for what takes no time. Throws when it fails. */
export function inside(leader: number, argv: readonly string[], input = ""): string {
  const [program = "", ...args] = [...enter(leader, "/"), ...argv];
  const result = spawnSync(program, args, {
    input,
    env: environment,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  if (result.error) throw result.error;
  if (result.status !== 0) throw new Error(`${argv.join(" ")}: ${result.stderr.trim()}`);
  return result.stdout;
}
