/** What only root can see of a machine, as questions, so that the part that collects can do without root. */
import * as z from "zod";
import { RememberedAgent } from "../types/agent.ts";
import { type Asked, type Judged, judgeAll } from "./abandoned.ts";
import type { Link } from "./link/client.ts";
import type { ReaderMemory } from "./readers.ts";
import type { System } from "./system.ts";
import { listSessions, type TmuxSession } from "./tmux.ts";

export interface Witness {
  /** Where `/proc/PID/exe` leads, in the order of the pids; null: gone, or a kernel thread. Rejects with one sentence. */
  executables(pids: readonly number[], signal?: AbortSignal): Promise<readonly (string | null)[]>;
  /** Empty when nothing listens there, null when tmux is not installed. Rejects with one sentence. */
  sessions(socket: string, signal?: AbortSignal): Promise<readonly TmuxSession[] | null>;
  /** Whether each is an orphan and abandoned, and why; in the order of the questions. Rejects with one sentence. */
  abandonments(questions: readonly Asked[], signal?: AbortSignal): Promise<readonly Judged[]>;
}

const maxPids = 100_000;
/** Processes that lost their parent: a host has some dozens of them. */
export const maxAbandonments = 5_000;

const pid = z.int().min(1).max(4_194_304);
const ticks = z.int().nonnegative();

/** The questions as they go over a link. Whoever asks may be taken over: nothing else can be asked. */
const Questions = {
  executables: z.strictObject({ pids: z.array(pid).max(maxPids) }),
  sessions: z.strictObject({ socket: z.string().max(4096) }),
  abandonments: z.strictObject({
    questions: z
      .array(
        z.strictObject({
          pid,
          startTime: ticks,
          agent: RememberedAgent.nullable(),
        }),
      )
      .max(maxAbandonments),
  }),
};

const Answers = {
  executables: z.array(z.string().nullable()),
  sessions: z
    .array(
      z.strictObject({
        name: z.string(),
        windows: z.number(),
        createdAt: z.number(),
        activeAt: z.number(),
        attached: z.boolean(),
      }),
    )
    .nullable(),
  abandonments: z.array(
    z.strictObject({
      orphan: z.boolean(),
      abandoned: z.boolean(),
      isOther: z.boolean(),
      because: z.string(),
    }),
  ),
};

/** Asks the process at the other end. */
export function remoteWitness(link: Link): Witness {
  return {
    executables: async (pids, signal) =>
      Answers.executables.length(pids.length).parse(await link.ask("executables", { pids }, signal)),
    sessions: async (socket, signal) =>
      Answers.sessions.parse(await link.ask("sessions", { socket }, signal)),
    abandonments: async (questions, signal) =>
      Answers.abandonments
        .length(questions.length)
        .parse(await link.ask("abandonments", { questions }, signal)),
  };
}

export const isWitnessed = (method: string): method is keyof typeof Questions =>
  Object.hasOwn(Questions, method);

/**
 * Answers for `remoteWitness`. Throws one sentence for what may not be asked.
 * @param memory of the last answer about abandoned processes.
 * @param sockets the only ones whose sessions are told.
 */
export async function bearWitness(
  system: System,
  sockets: readonly string[],
  method: keyof typeof Questions,
  params: unknown,
  signal: AbortSignal,
  memory: ReaderMemory | null = null,
): Promise<unknown> {
  if (method === "executables") {
    const { pids } = Questions.executables.parse(params);
    return pids.map((pid) => system.files.tryReadLink(`/proc/${pid}/exe`));
  }
  if (method === "abandonments") {
    const { questions } = Questions.abandonments.parse(params);
    return (await judgeAll(system, questions, signal, { memory })).judged;
  }
  const { socket } = Questions.sessions.parse(params);
  if (!sockets.includes(socket)) throw new Error(`the settings do not name the tmux socket ${socket}`);
  return listSessions(system, socket, signal);
}
