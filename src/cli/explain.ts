import { join } from "node:path";
import type { Command } from "commander";
import { readStreaks, StreakFile } from "../detect/streaks.ts";
import { lookAgain } from "../detect/why-not.ts";
import { readSnapshot } from "../record/history.ts";
import { problemFact } from "../record/problems.ts";
import { readHistory, readProblems } from "../record/registry-reader.ts";
import { readTrail, type TrailReader } from "../record/trail.ts";
import { acknowledged } from "../report/acks.ts";
import { brokenSentence } from "../report/broken.ts";
import { explainCycle } from "../report/explain.ts";
import { explainProblem } from "../report/explain-problem.ts";
import { explainWhyNot, type WhyNot } from "../report/why-not.ts";
import { nearest } from "../system/names.ts";
import type { Ack } from "../types/ack.ts";
import { UserError, WorkError } from "../types/errors.ts";
import { isoTime } from "../types/moment.ts";
import { isPast, type Problem, ProblemKey, type RegistryRecord } from "../types/problem.ts";
import type { Config } from "../types/settings.ts";
import type { TrailCycle } from "../types/trail.ts";
import { type Context, lookAtState, printJson, printJsonList } from "./context.ts";
import { knownAcks } from "./executor-view.ts";
import { openBook } from "./parts.ts";

interface ExplainOptions {
  readonly rule?: string;
  readonly whyNot?: string;
  readonly json?: true;
}

export function explainCommand(program: Command, context: Context): void {
  program
    .command("explain")
    .description(
      "what fired, what was decided, and why; without an argument the newest cycle in which anything was found",
    )
    .argument("[cycle or key]", "a cycle's id (or its beginning), or a problem's key")
    .option(
      "--rule <name>",
      "each condition of a rule: the value it saw, the value it wanted, and the gate's answer",
    )
    .option("--why-not <name>", "the same, for a rule that did not fire")
    .option("--json", "print data instead of text")
    .action(async (what: string | undefined, options: ExplainOptions) => {
      const rule = options.whyNot ?? options.rule;
      if (rule !== undefined && what !== undefined)
        throw new UserError("a rule is explained on the newest snapshot: leave out the cycle or the key");
      const config = lookAtState(context);
      if (rule === undefined)
        return await explain(context, config, what, options.json ?? false, () => knownAcks(context, config));
      const trail = readTrail(context.system.files, config.stateDir);
      await explainRule(context, config, trail, rule, options.json ?? false);
      warnOfPassedOver(context, trail);
    });
}

/** @param what a cycle's id or a problem's key; undefined: the newest cycle in which anything was found. */
export async function explain(
  context: Context,
  config: Config,
  what: string | undefined,
  json: boolean,
  acks: () => readonly Ack[],
): Promise<void> {
  const trail = readTrail(context.system.files, config.stateDir);
  const isKey = what !== undefined && ProblemKey.safeParse(what).success;
  if (isKey) await showProblem(context, config, trail, what, json, acks());
  else showCycle(context, config, trail, what, json);
  warnOfPassedOver(context, trail);
}

function warnOfPassedOver(context: Context, trail: TrailReader): void {
  const passedOver = trail.passedOver();
  if (passedOver !== null) context.warn(passedOver);
}

function showCycle(
  context: Context,
  config: Config,
  trail: TrailReader,
  id: string | undefined,
  json: boolean,
): void {
  const cycle = id === undefined ? (trail.newestWithFindings() ?? trail.newest()) : cycleOf(trail, id);
  if (cycle === null)
    throw new WorkError(
      `there is no cycle in ${config.stateDir} yet; run \`argus run --once\`, or set ARGUS_STATE_DIR to where Argus keeps its state`,
    );
  if (json) printJson(context, cycle);
  else context.print(explainCycle(cycle, context.style));
}

function cycleOf(trail: TrailReader, id: string): TrailCycle {
  const found = trail.byCycle(id);
  if (found.kind === "one") return found.cycle;
  if (found.kind === "several")
    throw new UserError(
      `"${id}" fits ${found.ids.length} cycles, such as ${found.ids.slice(0, 3).join(", ")}; give more of it`,
    );
  throw new UserError(
    `there is no cycle "${id}" in the trail, and it is no problem's key; \`argus problems\` lists the keys`,
  );
}

async function showProblem(
  context: Context,
  config: Config,
  trail: TrailReader,
  key: string,
  json: boolean,
  acks: readonly Ack[],
): Promise<void> {
  const { files, clock } = context.system;
  const problem = readProblems(files, config.stateDir, { keys: new Set([key]) }).problems.get(key) ?? null;
  const cycles = trail.byProblem(key);
  const newest = cycles.next();
  if (problem === null && newest.done)
    throw new UserError(`nothing is known of a problem ${key}; \`argus problems\` lists the keys`);
  const all = newest.done ? [] : chained(newest.value, cycles);
  const known = problem === null ? null : { ...problem, acknowledged: acknowledged(acks, problem) };
  const past = problem === null ? [] : pastLines(context, config, problem);
  if (json) {
    const object = { problem: known, ...(past.length === 0 ? {} : { past }) };
    await printJsonList(context, all, { object, name: "cycles" });
  } else context.print(explainProblem(key, known, all, isoTime(clock.now()), context.style, past));
}

/** So many of the first Argus's lines about one problem are told: it wrote one an hour. */
const mostPastLines = 10_000;

/** What the first Argus wrote about it, newest first: the decision log has none of that. */
function pastLines({ system }: Context, { stateDir }: Config, problem: Problem): RegistryRecord[] {
  if (!isPast(problem)) return [];
  const lines: RegistryRecord[] = [];
  for (const record of readHistory(system.files, stateDir).records()) {
    if (record.event === "past" && record.key === problem.key && lines.push(record) >= mostPastLines) break;
  }
  return lines;
}

function* chained<T>(first: T, others: Iterable<T>): Generator<T> {
  yield first;
  yield* others;
}

async function explainRule(
  context: Context,
  config: Config,
  trail: TrailReader,
  name: string,
  json: boolean,
): Promise<void> {
  const { files, clock } = context.system;
  const book = openBook(context.system, config);
  const rules = book.rules();
  const broken = book.broken();
  if (broken !== null) context.warn(brokenSentence(broken));
  const judged = rules.rules.find(({ compiled }) => compiled.rule.name === name);
  if (judged === undefined) {
    if (rules.disabled.includes(name))
      return context.say(`The rule ${name} is switched off ("enabled": false), so it is not judged.`);
    throw new UserError(
      `there is no rule "${name}"${nearest(
        name,
        rules.rules.map(({ compiled }) => compiled.rule.name),
      )}`,
    );
  }
  const read = readSnapshot(files, config.stateDir);
  if (!read.ok) throw new WorkError(read.why);
  const { facts, takenAt, collectors } = read.snapshot;
  const problems = readProblems(files, config.stateDir).problems;
  const takenAtMs = Date.parse(takenAt);
  const { looks, missing } = await lookAgain(judged, {
    facts,
    streaks: storedStreaks(context, config),
    problemOf: (key) => problemFact(problems.get(key), takenAtMs),
    now: clock.now(),
    recordedAtMs: takenAtMs,
  });
  const fired = newestActions(trail, name);
  const { rule, file, line } = judged.compiled;
  const whyNot: WhyNot = {
    rule: name,
    description: rule.description,
    file,
    line,
    forEach: rule.forEach ?? null,
    disabled: false,
    takenAt,
    looks,
    missing,
    collectors,
    actions: fired,
  };
  if (json) printJson(context, whyNot);
  else context.print(explainWhyNot(whyNot, context.style));
}

/** Read without setting a broken file aside: a command that only looks changes nothing. */
function storedStreaks({ system }: Context, { stateDir }: Config) {
  const text = system.files.tryRead(join(stateDir, "streaks.json"), "own");
  const parsed = StreakFile.safeParse(text === null ? null : jsonOrNull(text));
  return parsed.success ? readStreaks(parsed.data) : new Map();
}

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** A day of cycles at the default interval: further back, what the gate said is of no use to anybody. */
const farthest = 288;

function newestActions(trail: TrailReader, rule: string): TrailCycle["actions"] {
  let count = 0;
  for (const { findings, actions } of trail.cycles()) {
    count += 1;
    if (count > farthest) break;
    if (findings.some((finding) => finding.rule === rule))
      return actions.filter(({ source }) => source === `rule:${rule}`);
  }
  return [];
}
