/** A program of the user's, which reads the message at standard input. Exit status 0 is its yes. */
import type { ChannelRow } from "./channel.ts";
import { refused } from "./channel.ts";

export const command: ChannelRow<"command"> = {
  paceMs: 1000,
  describe: ({ command: [program = ""] }) => `the program ${program}`,
  async send({ name, command: [program = "", ...args], timeoutSeconds }, { text }, _memory, attempt) {
    const { clock, deadlineMs, signal, run } = attempt;
    const leftMs = deadlineMs - clock.monotonicMs();
    if (leftMs <= 0)
      return { kind: "later", error: `there was no time left to run ${program}`, blockedMs: 0 };
    const timeoutMs = Math.min(timeoutSeconds * 1000, leftMs);
    const ended = await run(program, args, { input: `${text.toWellFormed()}\n`, timeoutMs, signal });
    if (ended.exitCode === 0) return { kind: "sent", detail: `${program} took it (exit status 0)` };
    if (ended.missing) {
      return refused(
        "channel",
        `${program} does not exist here; install it, or mend command of the channel ${name} in argus.json`,
      );
    }
    const said = attempt.clean((ended.stderr || ended.stdout).trim().split("\n").at(-1) ?? "").slice(0, 200);
    const how = ended.timedOut
      ? `did not end within ${timeoutMs / 1000} s`
      : ended.exitCode === null
        ? "was killed, or may not be run by this user"
        : `failed with exit status ${ended.exitCode}`;
    // Not at once again: what it did before it failed is not known.
    return { kind: "later", error: `${program} ${how}${said === "" ? "" : `: ${said}`}`, blockedMs: 0 };
  },
};
