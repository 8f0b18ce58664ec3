/** Whether the journal can tell a crash from a stop that somebody asked for. For `argus doctor`. */

import { entriesOfBoot } from "../system/boot-id.ts";
import type { System } from "../system/system.ts";
import { timeLimit } from "../types/quantities.ts";
import { type Ability, limited, ok } from "./ability.ts";

const name = "journal";
const timeoutMs = 3_000;
const consequence =
  "a crash is repaired and reported, and a service that ended cleanly is only reported, as nobody can tell who stopped it";

/** @param asOrdinaryUser how the reader gets the right to read it. */
export async function findJournal(
  system: Pick<System, "run" | "clock">,
  mend = "run as root, or add the user to the group systemd-journal",
): Promise<Ability> {
  const shown = await system.run("journalctl", ["-n", "1", "-o", "json", "--no-pager", "_PID=1"], {
    timeoutMs,
  });
  if (shown.timedOut) {
    const detail = `journalctl did not answer within ${timeLimit(timeoutMs)}: ${consequence}`;
    return limited(
      name,
      detail,
      "look at: systemctl status systemd-journald, and the size of journalctl --disk-usage",
    );
  }
  if (shown.exitCode !== 0 || shown.stdout.trim() === "")
    return limited(name, `systemd's messages cannot be read in the journal: ${consequence}`, mend);
  // What is there may be of earlier: with Storage=none the files of before stay, and nothing comes to them.
  if (!(await keepsMessages(system))) {
    const detail = `the journal keeps no new messages: ${consequence}`;
    return limited(
      name,
      detail,
      "set Storage=auto in /etc/systemd/journald.conf and restart systemd-journald",
    );
  }
  const started = [startedUp.system, startedUp.container].map((id) => ["_PID=1", `MESSAGE_ID=${id}`]);
  const reaches = await system.run(
    "journalctl",
    [
      "-n",
      "1",
      "-o",
      "json",
      "--quiet",
      "--no-pager",
      ...entriesOfBoot(system.clock.now().bootId, ...started),
    ],
    { timeoutMs },
  );
  if (reaches.exitCode === 0 && reaches.stdout.trim() === "") {
    const detail =
      "the journal does not reach back to the boot: of a service that went down before its first message nobody can tell who stopped it";
    return limited(name, detail, "give it more room: SystemMaxUse= in /etc/systemd/journald.conf");
  }
  return ok(name, "the journal can tell a crash from a stop that somebody asked for");
}

// systemd's "startup finished", of a system and of a container.
const startedUp = {
  system: "b07a249cd024414a82dd00cd181378ff",
  container: "eed00a68ffd84e31882105fd973abdd1",
};

/** By a message of its own. Where that cannot be sent, nothing speaks against it. */
async function keepsMessages({ run, clock }: Pick<System, "run" | "clock">): Promise<boolean> {
  const mark = `argus-doctor-${clock.now().wallMs}-${Math.round(clock.monotonicMs())}`;
  const sent = await run(
    "systemd-cat",
    [`--identifier=${mark}`, "echo", "argus doctor asks whether this is kept"],
    {
      timeoutMs,
    },
  );
  if (sent.exitCode !== 0) return true;
  for (let attempt = 0; attempt < 10; attempt += 1) {
    const read = await run("journalctl", ["--quiet", "--no-pager", "-n", "1", "-t", mark], { timeoutMs });
    if (read.exitCode === 0 && read.stdout.trim() !== "") return true;
    await clock.sleep(100);
  }
  return false;
}
