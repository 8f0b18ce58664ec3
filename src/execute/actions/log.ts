/** Notes an observation: one line a window, counted in between. */
import { dirname } from "node:path";
import { createLineFile } from "../../system/line-file.ts";
import { oneLine, shortName } from "../../system/printable.ts";
import { redact } from "../../system/redact/redact.ts";
import { isoTime } from "../../types/moment.ts";
import type { WordAction } from "../action.ts";
import { firstInRequest, offeredToModel } from "../questions.ts";
import { reasonOf } from "../reason.ts";
import { countObservation } from "../repeats.ts";
import { Words } from "./alert.ts";

const maxBytes = 500 * 1024;

export const log: WordAction<Words> = {
  kind: "word",
  type: "log",
  targetSchema: Words,
  gateSteps: [offeredToModel, firstInRequest],
  nameOf: () => null,
  claimOf: (_, proposal) => proposal.problem,
  forecast: ({ target }) => `would note: ${oneLine(target.text, 500)}`,

  performAll(tasks, { system, policy, state, note }) {
    const now = system.clock.now();
    let repeats = state.repeats();
    const lines: string[] = [];
    const windows = {
      windowSeconds: policy.dedupWindowSeconds,
      repeatSeconds: policy.tickets.repeatSeconds,
    };
    const told = tasks.map(({ proposal, target }) => {
      const counted = countObservation(repeats, proposal.problem, windows, now);
      repeats = counted.repeats;
      const times = counted.count === 1 ? "" : ` (${counted.count} times)`;
      const text = redact(`${shortName(proposal.subject, 200)}: ${oneLine(target.text, 1000)}${times}`);
      if (counted.write) lines.push(`- ${isoTime(now)} [${proposal.severity}] ${text}`);
      const detail = counted.write
        ? `noted in ${policy.observationsFile}${times}`
        : `counted${times}; its line of this window stands in ${policy.observationsFile} already`;
      return { ok: true, detail, values: { repeats: counted.count, recent: counted.recent } };
    });
    if (lines.length > 0) {
      system.files.makeDirectory(dirname(policy.observationsFile));
      const path = policy.observationsFile;
      createLineFile({ files: system.files, path, maxBytes, keep: 1, durable: false }).append(...lines);
    }
    try {
      state.keepRepeats(repeats);
    } catch (error) {
      note(`observations.json could not be written (${reasonOf(error)}): repeats are counted in memory only`);
    }
    return told;
  },
};
