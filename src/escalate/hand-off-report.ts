/** What a coding agent left behind, read with the very strictness of the model's replies: data, and proposals. */
import { join } from "node:path";
import * as z from "zod";
import { createStore } from "../system/store.ts";
import type { System } from "../system/system.ts";
import type { HandOffReport, HandOffRun } from "../types/hand-off.ts";
import type { Config } from "../types/settings.ts";
import type { Facts } from "../types/snapshot.ts";
import type { Advice } from "./advice.ts";
import type { Handled } from "./alerts.ts";
import { readAnswer } from "./answer.ts";
import { offerFor } from "./candidates.ts";
import { reasonOf, targetsOf } from "./consultation.ts";
import { machineLine, machineText } from "./machine-text.ts";
import { unresolvedOf } from "./unresolved.ts";

const Seen = z.strictObject({ version: z.literal(1), read: z.array(z.string()) });
/** More than a day has. */
const mostRemembered = 200;
const mostCharacters = 4000;

export interface HandOffReader {
  /** Those that have ended and were not told before; each is told once. */
  read(runs: readonly HandOffRun[], handled: readonly Handled[], facts: Facts): ReportAndAdvice[];
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
    empty: () => ({ version: 1 as const, read: [] }),
    note,
  });
  let seen: readonly string[] | null = null;
  return {
    read(runs, handled, facts) {
      const ended = runs.filter(({ state }) => state === "ended");
      if (ended.length === 0) return [];
      seen ??= store.load().read;
      const known = new Set(seen);
      const news = ended.filter(({ id }) => !known.has(id));
      if (news.length === 0) return [];
      const next = [...seen, ...news.map(({ id }) => id)].slice(-mostRemembered);
      try {
        // Before anything is done about them: a crash must not have their proposals done twice.
        files.makeDirectory(config.stateDir);
        store.save({ version: 1, read: next });
      } catch (error) {
        note(`${path} could not be written, so what the coding agent left waits: ${reasonOf(error)}`);
        return [];
      }
      seen = next;
      return news.map((run) => reportOf(run, handled, facts, config));
    },
  };
}

/** `claude -p --output-format json` wraps the answer. */
const Envelope = z.object({ result: z.string(), total_cost_usd: z.number().nullish() });

function reportOf(
  run: HandOffRun,
  handled: readonly Handled[],
  facts: Facts,
  config: Config,
): ReportAndAdvice {
  const { id, problem, result } = run;
  const base = { id, problem, observations: [], proposals: [], rejected: [], seconds: result?.seconds ?? 0 };
  const nothing = { proposals: [], candidates: {} };
  const failed = (outcome: "failed" | "timed_out", detail: string): ReportAndAdvice => ({
    report: {
      ...base,
      outcome,
      detail,
      assessment: machineText(result?.output ?? "", mostCharacters),
      costDollars: null,
    },
    advice: nothing,
  });
  if (result === null) return failed("failed", "it left no result");
  if (result.timedOut) return failed("timed_out", `it was ended after ${result.seconds} s`);
  if (result.exitCode !== 0)
    return failed("failed", machineLine(`${ending(result.exitCode)}: ${result.errors}`, 300));

  const { text, costDollars } = unwrapped(result.output);
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
  exitCode === null ? "it was not started, or was ended by a signal" : `it ended with status ${exitCode}`;

function unwrapped(output: string): { text: string; costDollars: number | null } {
  try {
    const { result, total_cost_usd: cost = null } = Envelope.parse(JSON.parse(output));
    return { text: result, costDollars: cost };
  } catch {
    return { text: output, costDollars: null };
  }
}
