/**
 * Gives a problem to the coding agent of the settings: a transient unit of systemd runs it as the user of the
 * settings, without any privilege, boxed in, for so long. What it wants done comes back as proposals.
 */

import { randomInt } from "node:crypto";
import { join } from "node:path";
import * as z from "zod";
import { oneLine, stringify } from "../../system/printable.ts";
import { redactDeep } from "../../system/redact/redact.ts";
import type { Files } from "../../system/system.ts";
import type { AgentResult } from "../../types/hand-off.ts";
import { duration } from "../../types/quantities.ts";
import type { Answer, Context, Look, MachineAction, Question } from "../action.ts";
import { agentFault } from "../agent-fault.ts";
import { graceSeconds } from "../hand-offs.ts";
import type { HandOffPolicy } from "../policy.ts";
import { firstInRequest, notPaused, offeredToModel } from "../questions.ts";
import { notSilenced } from "../silences.ts";
import { homeOf } from "../unprivileged.ts";

const Incident = z
  .object({
    target: z.undefined({ error: "target must be left out" }).optional(),
    problem: z.string(),
    incident: z.string({ error: "incident is missing" }),
  })
  .transform(({ problem, incident }) => ({ problem, incident }));
type Incident = z.infer<typeof Incident>;

const isWanted: Question<Incident> = {
  step: "allowlist",
  ask: ({ policy: { handOff } }) =>
    handOff === null
      ? { pass: false, reason: "not_allowlisted", detail: "the settings name no coding agent (handOff)" }
      : {
          pass: true,
          detail: `the settings hand problems to ${oneLine(handOff.command[0] ?? "", 200)} as ${handOff.user}`,
        },
};

const withinLimits: Question<Incident> = {
  step: "hand-offs",
  ask({ policy: { handOff }, history: { handOffs } }) {
    const running = handOffs.find(({ state }) => state === "running");
    if (running !== undefined)
      return {
        pass: false,
        reason: "budget_exhausted",
        detail: `one at a time: ${running.id} is still at work on ${running.problem}`,
      };
    const limit = handOff?.perDay ?? 0;
    const detail = `${handOffs.length} of ${limit} hand-offs were used in the last 24 hours`;
    return handOffs.length < limit
      ? { pass: true, detail }
      : { pass: false, reason: "budget_exhausted", detail };
  },
};

export const handOffAction: MachineAction<Incident, HandOffPolicy, null> = {
  kind: "machine",
  type: "hand_off",
  budget: null,
  targetSchema: Incident,
  gateSteps: [isWanted, offeredToModel, notPaused, notSilenced, firstInRequest, withinLimits],
  nameOf: () => null,
  claimOf: ({ problem }) => problem,
  forecast: ({ target }) => `would hand ${target.problem} to the coding agent`,

  async recheck(_, context) {
    const { handOff } = context.policy;
    const looks: Look[] = [{ step: "agent", answer: canBeStarted(handOff, context) }];
    return { looks, seen: handOff };
  },

  async perform({ target, proposal }, handOff, { system, policy, handOffs }) {
    const now = system.clock.now();
    const seconds = handOff.timeoutMinutes * 60;
    const id = `${new Date(now.wallMs).toISOString().slice(0, 19).replace(/[-:T]/g, "")}-${randomInt(0x10000).toString(16).padStart(4, "0")}`;
    const folder = handOffs.begin({ id, problem: proposal.problem, at: now, seconds }, target.incident);
    const unit = `argus-hand-off-${id}`;
    const args = [
      "--quiet",
      "--collect",
      `--unit=${unit}`,
      ...propertiesOf(system.files, handOff, folder, seconds),
    ];
    const agent = [...policy.program, "agent", "--seconds", String(seconds), "--", ...handOff.command];
    const started = await system.run("systemd-run", [...args, "--", ...agent], { timeoutMs: 10_000 });
    const values = { handOff: id };
    if (started.exitCode === 0)
      return {
        ok: true,
        detail: `${unit} is at work as ${handOff.user}, for ${duration(handOff.timeoutMinutes * 60)} at most`,
        done: null,
        values,
      };
    const why = oneLine(
      started.stderr.split("\n", 1)[0] ||
        (started.missing ? "there is no systemd-run here" : `exit status ${started.exitCode ?? "unknown"}`),
      300,
    );
    // Cut off, nobody knows whether it began: then it counts as at work until its time is up.
    if (started.exitCode === null && !started.missing)
      return { ok: false, detail: `systemd-run ${unit} gave no answer: ${why}`, done: null, values };
    // Over, so that it keeps no other one waiting.
    const nothing: AgentResult = { exitCode: null, timedOut: false, seconds: 0, output: "", errors: why };
    system.files.writeAtomic(join(folder, "result.json"), stringify(redactDeep(nothing)));
    return { ok: false, detail: `systemd-run ${unit} failed: ${why}`, done: null, values };
  },

  verify: async () => ({ ok: true, verified: null, detail: "" }),
};

/** Standard input and output are opened by systemd before it becomes the user: the agent sees no folder of Argus. */
function propertiesOf(
  files: Files,
  { user, directory, environmentFile }: HandOffPolicy,
  folder: string,
  seconds: number,
): string[] {
  const hidden = [
    "/etc/argus",
    "/var/lib/argus",
    "/var/lib/argus-executor",
    "/var/log/argus",
    "/run/argus-executor.sock",
    "/run/argus-executor",
  ];
  const home = homeOf(files, user);
  const properties = [
    `StandardInput=file:${join(folder, "incident.json")}`,
    `StandardOutput=truncate:${join(folder, "result.json")}`,
    `StandardError=truncate:${join(folder, "errors.log")}`,
    `RuntimeMaxSec=${seconds + graceSeconds / 2}`,
    ...(environmentFile === null ? [] : [`EnvironmentFile=${environmentFile}`]),
    "NoNewPrivileges=yes",
    "CapabilityBoundingSet=",
    "ProtectSystem=strict",
    `ReadWritePaths=${directory}${home === null ? "" : ` -${home}`}`,
    ...hidden.map((path) => `InaccessiblePaths=-${path}`),
    "PrivateTmp=yes",
    "PrivateDevices=yes",
    "ProtectKernelTunables=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelLogs=yes",
    "ProtectControlGroups=yes",
    "ProtectClock=yes",
    "RestrictSUIDSGID=yes",
    "RestrictRealtime=yes",
    "LockPersonality=yes",
    "MemoryMax=2G",
    "TasksMax=512",
    "CPUQuota=100%",
    "Nice=10",
    "UMask=0077",
  ];
  return [
    `--uid=${user}`,
    `--working-directory=${directory}`,
    ...properties.map((each) => `--property=${each}`),
  ];
}

function canBeStarted(handOff: HandOffPolicy | null, { system }: Context): Answer {
  const no = (detail: string): Answer => ({ pass: false, reason: "not_allowlisted", detail });
  if (handOff === null) return no("the settings name no coding agent (handOff)");
  const fault = agentFault(system.files, handOff, system.self.uid === 0);
  if (fault !== null) return no(fault);
  return {
    pass: true,
    detail: `${handOff.user} is a user without privileges, and ${handOff.directory} is there`,
  };
}
