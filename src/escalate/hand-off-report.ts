/** What a coding agent left behind, read with the very strictness of the model's replies: data, and proposals. */

import { join } from "node:path";
import * as z from "zod";
import { createStore } from "../system/store.ts";
import type { System } from "../system/system.ts";
import type { HandOffReport, HandOffRun } from "../types/hand-off.ts";
import { duration } from "../types/quantities.ts";
import type { Config } from "../types/settings.ts";
import type { Facts } from "../types/snapshot.ts";
import type { Advice } from "./advice.ts";
import type { Handled } from "./alerts.ts";
import { readAnswer } from "./answer.ts";
import { offerFor } from "./candidates.ts";
import { reasonOf, targetsOf } from "./consultation.ts";
import { machineLine, machineText } from "./machine-text.ts";
import { unresolvedOf } from "./unresolved.ts";

const Seen = z.strictObject({
  version: z.literal(1),
  /** Runs that were told of. */
  read: z.array(z.string()),
  /** Problem -> when it was last given to an agent, ISO 8601: an outage may be longer than the executor remembers. */
  given: z.record(z.string(), z.string()).default({}),
});
type Seen = z.infer<typeof Seen>;
/** More than a day has. */
const mostRemembered = 200;
const mostCharacters = 4000;

export interface HandOffReader {
  /** Those that have ended and were not told before; each is told once. */
  read(runs: readonly HandOffRun[], handled: readonly Handled[], facts: Facts): ReportAndAdvice[];
  /** What the newest run about this problem that has ended since then came to, told before or not. */
  reportOn(problem: string, sinceIso: string, look: Look): HandOffReport | null;
  /** When this problem was last given to an agent, as far as `read` was told; ISO 8601. */
  lastGiven(problem: string): string | null;
}

/** The runs of the last 24 hours, and what the cycle that asks knows. */
export interface Look {
  readonly runs: readonly HandOffRun[];
  readonly handled: readonly Handled[];
  readonly facts: Facts;
}

export interface ReportAndAdvice {
  readonly report: HandOffReport;
  /** For the executor. */
  readonly advice: Advice;
}

export function createHandOffReader(
  { files }: System,
  config: Config,
  note: (sentence: string) => void,
): HandOffReader {
  const path = join(config.stateDir, "hand-offs-read.json");
  const store = createStore({
    files,
    path,
    schema: Seen,
    empty: () => ({ version: 1 as const, read: [], given: {} }),
    note,
  });
  let loaded: Seen | null = null;
  const seen = (): Seen => {
    loaded ??= store.load();
    return loaded;
  };
  return {
    read(runs, handled, facts) {
      if (runs.length === 0) return [];
      const before = seen();
      const known = new Set(before.read);
      const news = runs.filter(({ id, state }) => state === "ended" && !known.has(id));
      const given = withRuns(before.given, runs);
      if (news.length === 0 && given === before.given) return [];
      const next: Seen = {
        version: 1,
        read: [...before.read, ...news.map(({ id }) => id)].slice(-mostRemembered),
        given,
      };
      try {
        // Before anything is done about them: a crash must not have their proposals done twice.
        files.makeDirectory(config.stateDir);
        store.save(next);
      } catch (error) {
        note(`${path} could not be written, so what the coding agent left waits: ${reasonOf(error)}`);
        return [];
      }
      loaded = next;
      return news.map((run) => reportOf(run, handled, facts, config));
    },
    reportOn(problem, sinceIso, { runs, handled, facts }) {
      const run = runs.findLast(
        (each) =>
          each.problem === problem &&
          each.state === "ended" &&
          Date.parse(each.startedAt) >= Date.parse(sinceIso),
      );
      return run === undefined ? null : reportOf(run, handled, facts, config).report;
    },
    lastGiven: (problem) => {
      const { given } = seen();
      return Object.hasOwn(given, problem) ? (given[problem] ?? null) : null;
    },
  };
}

/** @returns the same object when they tell nothing new. */
function withRuns(given: Seen["given"], runs: readonly HandOffRun[]): Seen["given"] {
  const news = runs.filter(({ problem, startedAt }) => (given[problem] ?? "") < startedAt);
  if (news.length === 0) return given;
  const next = { ...given };
  for (const { problem, startedAt } of news) {
    if ((next[problem] ?? "") < startedAt) next[problem] = startedAt;
  }
  const newest = Object.entries(next).sort(([, a], [, b]) => (a < b ? 1 : -1));
  return Object.fromEntries(newest.slice(0, mostRemembered));
}

/** `claude -p --output-format json` wraps the answer. Failed, it may lack a result, and may still end with status 0. */
const Envelope = z.union([
  z.object({
    result: z.string(),
    is_error: z.boolean().default(false),
    total_cost_usd: z.number().nullish(),
  }),
  z
    .object({ is_error: z.literal(true), subtype: z.string(), total_cost_usd: z.number().nullish() })
    .transform((envelope) => ({ ...envelope, result: envelope.subtype })),
]);

function reportOf(
  run: HandOffRun,
  handled: readonly Handled[],
  facts: Facts,
  config: Config,
): ReportAndAdvice {
  const { id, problem, result } = run;
  const base = { id, problem, observations: [], proposals: [], rejected: [], seconds: result?.seconds ?? 0 };
  const nothing = { proposals: [], candidates: {} };
  const { text, costDollars, isError } = unwrapped(result?.output ?? "");
  const failed = (outcome: "failed" | "timed_out", detail: string): ReportAndAdvice => ({
    report: {
      ...base,
      outcome,
      detail,
      assessment: machineText(text, mostCharacters),
      costDollars,
    },
    advice: nothing,
  });
  if (result === null) return failed("failed", "it left no result");
  if (result.timedOut) return failed("timed_out", `it was killed after ${duration(result.seconds)}`);
  if (result.exitCode !== 0)
    return failed("failed", machineLine(`${ending(result.exitCode)}: ${result.errors.trim() || text}`, 300));
  if (isError) return failed("failed", machineLine(`it says that it failed: ${text}`, 300));

  const unresolved = unresolvedOf(handled).filter(({ key }) => key === problem);
  const { candidates } = offerFor(unresolved, handled, facts, config);
  const { confidence } = config.model;
  const answer = readAnswer(text.trim(), { unresolved, candidates, source: "llm:hand-off", confidence });
  if (typeof answer === "string") {
    const assessment = machineText(text, mostCharacters);
    return { report: { ...base, outcome: "text", detail: answer, assessment, costDollars }, advice: nothing };
  }
  const { assessment, observations, proposals, rejected } = answer;
  const over = unresolved.length === 0 ? "; the problem was over by then" : "";
  const report: HandOffReport = {
    ...base,
    outcome: "answered",
    detail: `it asks for ${proposals.length} action${proposals.length === 1 ? "" : "s"}${over}`,
    assessment,
    observations: [...observations],
    proposals: [...proposals],
    rejected: [...rejected],
    costDollars,
  };
  return { report, advice: { proposals: [...proposals], candidates: targetsOf(candidates) } };
}

const ending = (exitCode: number | null): string =>
  exitCode === null ? "it was not started, or was killed by a signal" : `it ended with status ${exitCode}`;

function unwrapped(output: string): { text: string; costDollars: number | null; isError: boolean } {
  try {
    const { result, is_error: isError, total_cost_usd: cost = null } = Envelope.parse(JSON.parse(output));
    return { text: result, costDollars: cost, isError };
  } catch {
    return { text: output, costDollars: null, isError: false };
  }
}
