import { type Command, InvalidArgumentError } from "commander";
import { changeAcks, mostAcks, readAcks, withAck, withoutAcks } from "../execute/acks.ts";
import { isOpen } from "../record/problems.ts";
import { readProblems } from "../record/registry-reader.ts";
import { folderNames, openStateDir } from "../record/state-dir.ts";
import { fileError } from "../system/file-error.ts";
import { readOnly } from "../system/read-only.ts";
import { type Ack, ackedProblem, ackOf, longestNote } from "../types/ack.ts";
import { WorkError } from "../types/errors.ts";
import { isoTime } from "../types/moment.ts";
import { type Problem, ProblemKey } from "../types/problem.ts";
import type { Config } from "../types/settings.ts";
import { type Context, lookAtStateToChange, printJson } from "./context.ts";
import { whoAsks } from "./who-asks.ts";

interface AckOptions {
  readonly note?: string;
  readonly remove?: true;
  readonly json?: true;
}

export function ackCommand(program: Command, context: Context): void {
  program
    .command("ack")
    .description("a problem is seen and being worked on: no repeats until it changes or ends")
    .argument("<key...>", "keys of open problems, as the alert or `argus problems` names them", eachKey)
    .option("--note <text>", "shown beside it", parseNote)
    .option("--remove", "take it back: told again as before")
    .option("--json", "print data instead of text")
    .action((keys: string[], options: AckOptions) => {
      const config = lookAtStateToChange(context);
      openStateDir(context.system, config.executorStateDir, folderNames.executor);
      const asked = [...new Set(keys)];
      if (options.remove) remove(context, config, asked, options.json ?? false);
      else acknowledge(context, config, asked, options);
    });
}

function eachKey(text: string, before: string[] | undefined): string[] {
  if (ProblemKey.safeParse(text).success) return [...(before ?? []), text];
  throw new InvalidArgumentError("must be a problem's key, such as service:3f1c0c9a5d2e7b40");
}

function parseNote(text: string): string {
  if (text.trim() !== "" && text.length <= longestNote) return text;
  throw new InvalidArgumentError(`must be text of 1 to ${longestNote} characters`);
}

/** All of them or none: half of a list would have to be found out afterwards. */
function acknowledge(
  context: Context,
  { stateDir, executorStateDir }: Config,
  keys: readonly string[],
  { note = "", json }: AckOptions,
): void {
  const { system, warn } = context;
  const { problems } = readProblems(system.files, stateDir, { keys: new Set(keys) });
  const meant = keys.map((key) => openProblem(key, problems.get(key)));
  const at = isoTime(system.clock.now());
  const made = meant.map((problem): Ack => ({ ...ackedProblem(problem), by: whoAsks(context), at, note }));
  const acks = made.reduce(withAck, present(context, executorStateDir));
  if (acks.length > mostAcks)
    throw new WorkError(
      `${mostAcks} problems are acknowledged, and there may be no more; argus ack --remove KEY takes one back`,
    );
  changeAcks(system.files, executorStateDir, warn, () => acks);
  if (json) printJson(context, made);
  else
    for (const { key, description } of meant)
      context.say(`Acknowledged ${key} (${description}): it is not told again until it changes or ends.`);
}

function openProblem(key: string, problem: Problem | undefined): Problem {
  const hint = "argus problems --open lists the keys";
  if (problem === undefined) throw new WorkError(`nothing is known of a problem ${key}; ${hint}`);
  if (!isOpen(problem)) throw new WorkError(`${key} is not open any more; ${hint}`);
  return problem;
}

function remove(
  context: Context,
  { executorStateDir, stateDir }: Config,
  keys: readonly string[],
  json: boolean,
): void {
  const { system, warn } = context;
  const { problems } = readProblems(system.files, stateDir, { keys: new Set(keys) });
  const acks = present(context, executorStateDir);
  const missing = keys.find((key) => {
    const problem = problems.get(key);
    return problem === undefined || ackOf(acks, problem) === undefined;
  });
  if (missing !== undefined)
    throw new WorkError(`${missing} is not acknowledged; argus status shows which problems are`);
  changeAcks(system.files, executorStateDir, warn, (all) => withoutAcks(all, keys));
  if (json)
    printJson(
      context,
      acks.filter(({ key }) => keys.includes(key)),
    );
  else
    for (const key of keys) context.say(`${key} is not acknowledged any more: it is told again as before.`);
}

/** Throws where they cannot be read: that must not look like none. */
function present({ system, warn }: Context, executorStateDir: string): Ack[] {
  try {
    return readAcks(readOnly(system).files, executorStateDir, warn);
  } catch (error) {
    throw fileError("read the acknowledgements in", executorStateDir, error);
  }
}
