/** A program of the user's, which reads the message at standard input. */
import { type ChannelRow, refused } from "./channel.ts";
import { callProgram } from "./program.ts";

export const command: ChannelRow<"command"> = {
  paceMs: 1000,
  describe: ({ command: [program = ""] }) => `the program ${program}`,
  async send({ name, command: [program = "", ...args], timeoutSeconds }, { text }, _memory, attempt) {
    const input = `${text}\n`;
    const failure = await callProgram(program, args, { input, timeoutSeconds }, attempt);
    if (failure === null) return { kind: "sent", detail: `${program} took it (exit status 0)` };
    if (failure.missing) {
      const mend = `install it, or mend command of the channel ${name} in argus.json`;
      return refused("channel", `${failure.why}; ${mend}`);
    }
    // Not at once again: what it did before it failed is not known.
    return { kind: "later", error: failure.why, blockedMs: 0, heard: true };
  },
};
