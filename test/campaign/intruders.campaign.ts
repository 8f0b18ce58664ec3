/**
 * Every file of Argus's, everything that somebody may put in its place, every command: it ends within five seconds,
 * nothing is written elsewhere, and what is said are sentences.
 */
import { expect, test } from "vitest";
import { intruders, isNeverOpened, occupied } from "../e2e/intruders.ts";

const commands = [
  "run --once --dry-run",
  "run --once",
  "status",
  "summary",
  "problems",
  "problems --all",
  "explain",
  "stats",
  "silence list",
  "silence add --rule x --for 1h",
  "approve",
  "deny ab2c",
  "pause --for 1m",
  "resume",
  "mode",
  "mode act",
  "doctor",
  "check",
  "clean --dry-run",
  "summary --send",
  "notify --test",
];

/** All 21 for each of 240 take 20 minutes. In turn, each file and each intruder still meets every command. */
const inTurn = 4;
const isWhole = process.env["ARGUS_CAMPAIGN_WHOLE"] !== undefined;

function commandsFor(turn: number): readonly string[] {
  if (isWhole) return commands;
  const some = Array.from(
    { length: inTurn },
    (_, at) => commands[(turn * inTurn + at) % commands.length] ?? "",
  );
  return [...new Set(["status", ...some])];
}

test("nothing in the place of a file of Argus's makes it wait, or write elsewhere", () => {
  const { files, withIntruder } = occupied();
  const wrong: string[] = [];
  const quiet: string[] = [];
  let count = 0;
  let turn = 0;
  for (const file of files)
    for (const intruder of Object.keys(intruders))
      for (const command of commandsFor(turn++)) {
        const attempt = () => withIntruder(file, intruder, command.split(" "));
        let outcome = attempt();
        // On a busy machine one may be slow; what waits for ever does so each time.
        for (let more = 2; outcome.status === null && more > 0; more -= 1) outcome = attempt();
        const { status, said, harm } = outcome;
        count += 1;
        const which = `${intruder} as ${file}: argus ${command}`;
        if (status === null) wrong.push(`${which}: did not end`);
        if (/a bug|^ {4}at /m.test(said)) wrong.push(`${which}: ${said.slice(0, 600)}`);
        for (const what of harm) wrong.push(`${which}: ${what}`);
        if (
          command === "status" &&
          !said.includes(file.split("/").at(-1) ?? "") &&
          !intruder.includes("second name") &&
          !isNeverOpened(file, intruder)
        )
          wrong.push(`${which}: says nothing of it`);
        if (status === 0 && !said.includes(file.split("/").at(-1) ?? "")) quiet.push(which);
      }
  console.log({ count, files: files.length });
  if (process.env["ARGUS_CAMPAIGN_QUIET"] !== undefined) console.log(quiet.join("\n"));
  expect(wrong).toEqual([]);
});
