/** Ends one tmux session, on the socket where it was seen. */
import * as z from "zod";
import { oneLine, shortName } from "../../system/printable.ts";
import { ancestorsOf, readProcessIdentity } from "../../system/proc.ts";
import { listSessions, runTmux } from "../../system/tmux.ts";
import type { Answer, Context, Look, MachineAction, Question } from "../action.ts";
import { firstInRequest, notPaused, offeredToModel, withinBudget } from "../questions.ts";
import { notSilenced } from "../silences.ts";

const wantedName = {
  error: "target must be the name of a session, of letters, digits, dots, dashes and underscores",
};
const wantedSocket = {
  error: "expect.socket is missing: the same name may be another session on another socket",
};
const SessionTarget = z
  .object({
    target: z.string(wantedName).regex(/^[A-Za-z0-9._][A-Za-z0-9._-]{0,127}$/, wantedName),
    expect: z.object({ socket: z.string(wantedSocket) }, wantedSocket),
  })
  .transform(({ target, expect }) => ({ name: target, socket: expect.socket }));
type SessionTarget = z.infer<typeof SessionTarget>;

const onNamedSocket: Question<SessionTarget> = {
  step: "allowlist",
  ask({ task: { target }, policy }) {
    const socket = shortName(target.socket, 200);
    return policy.tmuxSockets.includes(target.socket)
      ? { pass: true, detail: `the settings name the socket ${socket}` }
      : {
          pass: false,
          reason: "not_allowlisted",
          detail: `the settings do not name the socket ${socket} (tmuxSockets)`,
        };
  },
};

export const killTmux: MachineAction<SessionTarget, null, null> = {
  kind: "machine",
  type: "kill_tmux",
  budget: "kills",
  targetSchema: SessionTarget,
  gateSteps: [onNamedSocket, offeredToModel, notPaused, notSilenced, firstInRequest, withinBudget("kills")],
  nameOf: ({ name }) => name,
  claimOf: ({ name, socket }) => `${socket} ${name}`,
  forecast: ({ target }) => `would kill the tmux session ${target.name} on ${target.socket}`,

  async recheck({ target }, context) {
    const looks: Look[] = [{ step: "session", answer: await isIdle(target, context) }];
    if (looks.every((look) => look.answer.pass)) {
      looks.push({ step: "self", answer: await notArgusItself(target, context) });
    }
    return { looks, seen: null };
  },

  async perform({ target }, _, { system }) {
    // `=` asks for this very name; without it tmux takes the first session whose name begins like that.
    const result = await runTmux(system, target.socket, ["kill-session", "-t", `=${target.name}`]);
    if (result?.exitCode === 0) return { ok: true, detail: `tmux kill-session ${target.name}`, done: null };
    const why = oneLine(result?.stderr.split("\n", 1)[0] || "the tmux server did not answer", 300);
    return { ok: false, detail: `tmux kill-session ${target.name} failed: ${why}`, done: null };
  },

  async verify({ target }, _, { system }) {
    const there = (await listSessions(system, target.socket))?.some(
      (session) => session.name === target.name,
    );
    return there === true
      ? { ok: false, verified: false, detail: "it is still there" }
      : { ok: true, verified: true, detail: "it is gone" };
  },
};

async function isIdle({ name, socket }: SessionTarget, { system }: Context): Promise<Answer> {
  const found = (await listSessions(system, socket))?.find((session) => session.name === name);
  if (found === undefined) {
    return {
      pass: false,
      reason: "target_gone",
      detail: `there is no tmux session ${name} on ${socket} any more`,
    };
  }
  return found.attached
    ? { pass: false, reason: "not_needed", detail: `somebody is attached to the tmux session ${name}` }
    : { pass: true, detail: `the tmux session ${name} is there, and nobody is attached to it` };
}

/** An operator may well have started Argus inside of the session that looks stale. */
async function notArgusItself({ name, socket }: SessionTarget, { system }: Context): Promise<Answer> {
  const result = await runTmux(system, socket, ["list-panes", "-s", "-t", `=${name}:`, "-F", "#{pane_pid}"]);
  if (result?.exitCode !== 0) throw new Error(`tmux cannot list the panes of ${name}`);
  const { files, self } = system;
  const own = [self.pid, ...ancestorsOf(files, self.pid), readProcessIdentity(files, self.pid)?.sessionId];
  return result.stdout.split("\n").some((pid) => own.includes(Number(pid)))
    ? { pass: false, reason: "protected_target", detail: `Argus itself runs in the tmux session ${name}` }
    : { pass: true, detail: `Argus itself does not run in ${name}` };
}
