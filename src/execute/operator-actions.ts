/**
 * `operator-actions.json`: what people asked for on the command line and the decision log does not have yet. The log
 * belongs to the daemon, which may not run at that moment, and to a user whose folder root does not write into.
 */
import { join } from "node:path";
import * as z from "zod";
import { createStore } from "../system/store.ts";
import type { Files } from "../system/system.ts";
import { OperatorAction } from "../types/operator-action.ts";
import { reasonOf } from "./reason.ts";

/** A week of two cleanings an hour is 336. */
const mostUnrecorded = 400;
/** Together with the results of a day's hand-offs they fit one reply (maxReplyBytes). */
const mostAtOnce = 20;
const File = z.strictObject({ version: z.literal(1), actions: z.array(OperatorAction) });

export interface OperatorActions {
  /** The oldest of them, oldest first; the others when these are recorded. */
  unrecorded(): readonly OperatorAction[];
  /** Durable when it returns; kept in memory where the disk is full. */
  add(actions: readonly OperatorAction[]): void;
  /** The decision log has them now. */
  recorded(ids: readonly string[]): void;
}

/** @param note called with one sentence about what a person should know. */
export function openOperatorActions(
  files: Files,
  stateDir: string,
  note: (sentence: string) => void,
): OperatorActions {
  const path = join(stateDir, "operator-actions.json");
  const empty = () => ({ version: 1 as const, actions: [] });
  const store = createStore<z.infer<typeof File>>({ files, path, schema: File, empty, note });
  let { actions } = store.load();

  function keep(next: readonly OperatorAction[]): void {
    const surplus = next.length - mostUnrecorded;
    if (surplus > 0)
      note(`${path} is full: the ${surplus} oldest actions by hand will be in no decision log`);
    actions = next.slice(-mostUnrecorded);
    try {
      files.makeDirectory(stateDir);
      store.save({ version: 1, actions: [...actions] });
    } catch (error) {
      note(`${path} could not be written (${reasonOf(error)}): a restart would lose what it lists`);
    }
  }

  return {
    unrecorded: () => actions.slice(0, mostAtOnce),
    add(more) {
      if (more.length > 0) keep([...actions, ...more]);
    },
    recorded(ids) {
      const left = actions.filter(({ id }) => !ids.includes(id));
      if (left.length < actions.length) keep(left);
    },
  };
}
