/** The process that may change the machine: an executor behind a link, with its own policy, budgets and memory. */
import * as z from "zod";
import type { Handler } from "../system/link/server.ts";
import { createReaderMemory } from "../system/readers.ts";
import type { System } from "../system/system.ts";
import { showEach } from "../system/systemd.ts";
import { defaultTmuxSocket } from "../system/tmux.ts";
import { isRefused } from "../system/unit-state.ts";
import { bearWitness, isWitnessed } from "../system/witness.ts";
import { AckedProblem } from "../types/ack.ts";
import { mostAcks } from "./acks.ts";
import { daemonSocket, type Entrance, rootSocket } from "./entrance.ts";
import { createExecutor, type LocalExecutor } from "./executor.ts";
import type { Policy } from "./policy.ts";

/** Whoever asks may have been taken over: what is not known is refused, and a proposal is judged by the gate. */
const Request = z.strictObject({
  cycle: z.string().max(128),
  host: z.string().max(256),
  dryRun: z.boolean(),
  watchOnly: z.boolean().optional(),
  proposals: z.array(z.unknown()).max(5_000),
  candidates: z.record(z.string(), z.array(z.union([z.string(), z.number()]))).optional(),
});

const Recorded = z.strictObject({ ids: z.array(z.string().max(128)).max(1_000) });

const Ended = z.strictObject({
  ended: z.array(AckedProblem.pick({ key: true, openedAt: true })).max(mostAcks),
});

/** What the settings say, in the part that this process holds itself to. */
export interface ExecutorSettings {
  readonly policy: Policy;
  /** Nothing is changed, whatever the request says. */
  readonly dryRun: boolean;
}
/**
 * The settings again. null: they are as they were. `fault`: one sentence why those of the files cannot
 * be used; beside it stands what is to be used, where that is known.
 * @param isAsked somebody wants to know: a file that may be half written is judged as it is.
 */
export type Reread = (
  isAsked: boolean,
) => (ExecutorSettings & { readonly fault?: string }) | { readonly fault: string } | null;

export interface Served {
  /** Answers on the daemon's socket. */
  readonly daemon: Handler;
  /** Answers on root's. */
  readonly root: Handler;
  /** Looks whether the settings changed, as before each request. */
  refresh(isAsked?: boolean): Promise<void>;
  /** Resolves when what was begun has ended. */
  idle(): Promise<void>;
}

/**
 * @param reread called before each request: who changed the settings need not tell this process.
 * @param onReply called with what was done, `onOrder` with what a person asked for: for the log.
 */
export function serveExecutor(
  system: System,
  given: ExecutorSettings & {
    readonly stateDir: string;
    readonly reread?: Reread;
    /** Why these are not the settings of the files. */
    readonly fault?: string | null;
  },
  onReply: (reply: Awaited<ReturnType<LocalExecutor["execute"]>>) => void,
  onOrder: (sentence: string) => void = () => undefined,
): Served {
  let { policy, dryRun } = given;
  /** Why the settings of now are not in force. */
  let fault = given.fault ?? null;
  const executor = createExecutor(system, policy, given.stateDir);
  const readers = createReaderMemory();
  let queue: Promise<unknown> = Promise.resolve();

  /** One after the other: an action and a change of the policy never overlap. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = queue.then(work);
    queue = turn.catch(() => undefined);
    return turn;
  }

  function refresh(isAsked = false): void {
    const next = given.reread?.(isAsked) ?? null;
    if (next === null) return;
    fault = next.fault ?? null;
    if (!("policy" in next)) return;
    ({ policy, dryRun } = next);
    executor.replacePolicy(policy);
  }

  type Methods = Readonly<Record<string, (params: unknown, signal: AbortSignal) => Promise<unknown>>>;

  const commonMethods = (entrance: Entrance): Methods => ({
    execute: async (params, signal) => {
      const { candidates, watchOnly = false, ...request } = Request.parse(params);
      const asked = { ...request, watchOnly, ...(candidates === undefined ? {} : { candidates }) };
      const reply = await executor.execute({ ...asked, dryRun: asked.dryRun || dryRun }, signal, entrance);
      onReply(reply);
      return reply;
    },
    view: async () => {
      const view = executor.view();
      return { ...view, settingsFault: fault ?? view.settingsFault };
    },
  });
  const ofRoot = commonMethods(rootSocket);
  const ofDaemon: Methods = {
    ...commonMethods(daemonSocket),
    settings_fault: async () => {
      refresh(true);
      return { fault };
    },
    recorded: async (params) => executor.recorded(Recorded.parse(params).ids),
    forget_acks: async (params) => executor.forgetAcks(Ended.parse(params).ended),
    order: async (params) => {
      const obeyed = executor.order(params);
      onOrder(obeyed.text);
      return obeyed;
    },
    observe_health: async () => {
      if (dryRun || executor.view().backoffs.length === 0) return;
      const units = policy.restartable.map(({ unit }) => unit);
      // Without an answer none of them was seen, and their hour of health begins anew.
      const shown = await showEach(system, units).catch(() => []);
      // By the name that the policy has: the delays of an alias stand under that.
      const named = (active: boolean) =>
        units.filter((_, index) => {
          const state = shown[index];
          return state !== undefined && !isRefused(state) && (state.activeState === "active") === active;
        });
      executor.observeHealth(named(true), named(false));
    },
  };

  function answer(methods: Methods, ...[method, params, signal]: Parameters<Handler>): Promise<unknown> {
    const known = Object.hasOwn(methods, method) ? methods[method] : undefined;
    if (known === undefined) return Promise.reject(new Error(`the executor knows no ${method}`));
    return inTurn(() => {
      refresh();
      return known(params, signal);
    });
  }

  return {
    daemon(method, params, signal) {
      if (isWitnessed(method)) {
        const sockets = [...policy.tmuxSockets, defaultTmuxSocket(system.self.uid)];
        return bearWitness(system, sockets, method, params, signal, readers);
      }
      return answer(ofDaemon, method, params, signal);
    },
    root: (method, params, signal) => answer(ofRoot, method, params, signal),
    refresh: (isAsked) => inTurn(async () => refresh(isAsked)),
    idle: () => inTurn(async () => undefined),
  };
}
