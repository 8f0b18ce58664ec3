/** `bd` or `br`, called with argument vectors. Both keep their issues in a folder `.beads`, found from where they run. */
import { basename } from "node:path";
import { oneLine } from "../../system/printable.ts";
import { reach } from "../../system/reach.ts";
import { redact } from "../../system/redact/redact.ts";
import type { RunOptions, RunResult, System } from "../../system/system.ts";
import type { Severity } from "../../types/problem.ts";
import type { TicketRequest, TicketSettings } from "../../types/ticket.ts";
import { complaint, type Issue, parseCreated, parseIssues } from "./answers.ts";

export type Answer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: string };

/** How long one call may take, and when it is to be given up. */
export interface Limits {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface Tracker {
  /** As it is called: `bd`, or where it lies. */
  readonly tool: string;
  /** Those of Argus that are not closed. */
  open(limits: Limits): Promise<Answer<Issue[]>>;
  /** null: it was made, and the tool did not say under which id. */
  create(request: TicketRequest, limits: Limits): Promise<Answer<string | null>>;
  describe(id: string, description: string, limits: Limits): Promise<Answer<null>>;
  /** Also ok when there is nothing to close any more. */
  close(id: string, reason: string, limits: Limits): Promise<Answer<null>>;
}

const label = "argus";
const notClosed = ["open", "in_progress", "blocked"];
/** Thousands of tickets with bodies of 8 KB. */
const maxListBytes = 32 * 1024 * 1024;
/** One argument of a program may have 128 KiB (MAX_ARG_STRLEN). */
const maxArgumentBytes = 100_000;
const priorities: Readonly<Record<Severity, string>> = { critical: "0", warning: "2", info: "3" };

/** @returns null when neither tool, or not the one of the settings, is here, or none is wanted. */
export function findTracker(
  system: Pick<System, "run" | "files" | "hasProgram">,
  { enabled, tool, directory }: TicketSettings,
): Tracker | null {
  if (!enabled) return null;
  const program = (tool === undefined ? ["bd", "br"] : [tool]).find((name) => system.hasProgram(name));
  return program === undefined ? null : createTracker(system, program, directory);
}

function createTracker(
  { run, files }: Pick<System, "run" | "files">,
  program: string,
  directory: string | undefined,
): Tracker {
  const name = basename(program);
  const words = name === "br" ? br : bd;

  async function call(
    args: readonly string[],
    limits: Limits,
    more: RunOptions = {},
  ): Promise<Answer<string>> {
    if (directory !== undefined && reach(files, directory).kind !== "directory")
      return no(`tickets.directory: ${directory} is no folder that Argus can look into`);
    const result = await run(program, args, {
      ...limits,
      // Without one it looks where Argus was started.
      directory: directory === undefined ? "." : files.realPath(directory),
      // Versions that leave a process of their own behind must not do so inside the service.
      environment: { BEADS_NO_DAEMON: "1" },
      ...more,
    });
    if (result.exitCode === 0) return { ok: true, value: result.stdout };
    return no(`${name} ${args[0]}: ${why(result, limits)}`);
  }

  return {
    tool: program,
    async open(limits) {
      const found: Issue[] = [];
      for (const status of notClosed) {
        const answer = await call(words.list(status), limits, { maxOutputBytes: maxListBytes });
        if (!answer.ok) return answer;
        const issues = parseIssues(answer.value);
        if (issues === null) return no(`${name} list: it printed no list of issues`);
        found.push(...issues);
      }
      return { ok: true, value: found };
    },
    async create(request, limits) {
      const answer = await call(
        words.create(request.title, bodyOf(request), priorities[request.severity]),
        limits,
      );
      return answer.ok ? { ok: true, value: parseCreated(answer.value) } : answer;
    },
    async describe(id, description, limits) {
      if (Buffer.byteLength(description) > maxArgumentBytes)
        return no(`${name} update: the description of ${id} has grown too long`);
      const answer = await call(["update", id, "--description", description, "--json"], limits);
      return answer.ok ? { ok: true, value: null } : answer;
    },
    async close(id, reason, limits) {
      const answer = await call(["close", id, "-r", reason, "--json"], limits);
      return answer.ok || isGone.test(answer.error) ? { ok: true, value: null } : answer;
    },
  };
}

const bodyOf = ({ body, report }: TicketRequest): string => (report === null ? body : `${body}\n\n${report}`);

/** Somebody else closed it, or took it out of the tracker. */
const isGone = /already closed|issue not found|issue \S{1,130} not found|no such issue|no issue found/i;

const bd = {
  list: (status: string) => ["list", "--status", status, "--label", label, "--json", "-n", "0"],
  create: (title: string, body: string, priority: string) => [
    ...["create", `--title=${title}`, "--description", body],
    ...["--labels", label, "--priority", priority, "--type", "bug", "--json"],
  ],
};

const br = {
  list: (status: string) => ["list", "-s", status, "-l", label, "--limit", "0", "--json"],
  // Neither begins with a dash: titles begin with [argus], bodies with the problem's key.
  create: (title: string, body: string, priority: string) => [
    ...["create", title, "-d", body],
    ...["-l", label, "-p", priority, "-t", "bug", "--json"],
  ],
};

const no = (error: string): { ok: false; error: string } => ({ ok: false, error });

function why({ exitCode, stdout, stderr, timedOut, missing }: RunResult, { timeoutMs }: Limits): string {
  if (missing) return "it is not there any more";
  if (timedOut) return `no answer within ${Math.round(timeoutMs / 1000)} s`;
  const said = oneLine(redact(complaint(stdout, stderr)), 300);
  return said || (exitCode === null ? "it was ended, or printed too much" : `exit status ${exitCode}`);
}
