/**
 * The executor's memory, for commands. Its folder is root's alone, so whoever may only read the state gets it as it was
 * after the last cycle: the daemon, which is told it, keeps it beside its own state.
 */
import { join } from "node:path";
import * as z from "zod";
import type { Parts } from "../cycle.ts";
import { readAcks } from "../execute/acks.ts";
import { createExecutor, type Executor } from "../execute/executor.ts";
import { policyOf } from "../execute/policy.ts";
import { readSilences } from "../execute/silences.ts";
import { ExecutorView } from "../execute/view.ts";
import { errorCode } from "../system/files.ts";
import { readOnly } from "../system/read-only.ts";
import { createStore } from "../system/store.ts";
import type { Files, System } from "../system/system.ts";
import type { Ack } from "../types/ack.ts";
import { UserError, WorkError } from "../types/errors.ts";
import { isoTime } from "../types/moment.ts";
import type { Config } from "../types/settings.ts";
import type { Context } from "./context.ts";

const Kept = z.strictObject({
  version: z.literal(1),
  /** When it was told, ISO 8601; null: never. */
  at: z.iso.datetime().nullable(),
  view: ExecutorView.nullable(),
});

const storeIn = (files: Files, stateDir: string, note: (sentence: string) => void) =>
  createStore<z.infer<typeof Kept>>({
    files,
    path: join(stateDir, "executor_view.json"),
    schema: Kept,
    empty: () => ({ version: 1, at: null, view: null }),
    note,
    // The next cycle writes it anew.
    durable: false,
  });

/** After a cycle. Of an executor that does not answer the cycle itself speaks. Rejects when it cannot be written. */
export async function keepView(
  { system, config, executor }: Pick<Parts, "system" | "config" | "executor">,
  note: (sentence: string) => void,
): Promise<void> {
  if (config.executorSocket === null) return;
  const told = await lookAgain(executor);
  if (told === null) return;
  storeIn(system.files, config.stateDir, note).save({
    version: 1,
    at: isoTime(system.clock.now()),
    view: told,
  });
}

async function lookAgain(executor: Pick<Executor, "view">): Promise<ExecutorView | null> {
  try {
    return await executor.view();
  } catch {
    return null;
  }
}

export interface KnownView {
  readonly view: ExecutorView;
  /** null: as it is now; else one sentence that says of when it is. */
  readonly asOf: string | null;
}

/** @throws WorkError where this user gets to know nothing of it, which must not look like nothing. */
export function knownView(machine: System, config: Config): KnownView {
  const system = readOnly(machine);
  if (mayRead(system, config)) return { view: localView(system, config), asOf: null };
  const { at, view } = storeIn(system.files, config.stateDir, () => {}).load();
  if (at === null || view === null)
    throw new WorkError(
      `only root may read ${config.executorStateDir}, and no cycle has kept what is in it yet: run this with sudo, or after the next cycle`,
    );
  const when = at.slice(0, 19).replace("T", " ");
  return {
    view,
    asOf: `pause, approvals, silences, acknowledgements, budgets and restarts are as of ${when} UTC: only root sees them as they are now`,
  };
}

function mayRead({ files, self }: System, { executorSocket, executorStateDir }: Config): boolean {
  if (executorSocket === null || self.uid === 0) return true;
  try {
    files.list(executorStateDir, "own");
    return true;
  } catch (error) {
    if (errorCode(error) === "EACCES") return false;
    throw error;
  }
}

function localView(system: System, config: Config): ExecutorView {
  const { executorStateDir: dir } = config;
  // The executor goes on without what it cannot read; here that must not look like none.
  readSilences(system.files, dir, system.clock.now(), () => {});
  readAcks(system.files, dir, () => {});
  return createExecutor(system, policyOf(config), dir).view();
}

/** null: this user may read it as it is. Otherwise it is as of the last cycle, which is said. */
export function toldLast(
  { system, warn }: Pick<Context, "system" | "warn">,
  config: Config,
): ExecutorView | null {
  if (mayRead(system, config)) return null;
  const { view, asOf } = knownView(system, config);
  if (asOf !== null) warn(asOf);
  return view;
}

/** What is acknowledged. Where this user cannot know it, that is said and the rest is shown. */
export function knownAcks({ system, warn }: Pick<Context, "system" | "warn">, config: Config): Ack[] {
  try {
    return knownView(system, config).view.acks;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    warn(`what is acknowledged is not known: ${error.message}`);
    return [];
  }
}
