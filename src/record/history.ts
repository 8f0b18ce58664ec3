/** The `history/` folder of the state directory: trends, and the newest snapshot. Losing either costs no decision. */
import { join } from "node:path";
import { stringify } from "../system/printable.ts";
import { redactProcess } from "../system/redact/processes.ts";
import { redactDeep } from "../system/redact/redact.ts";
import { createStore, replaceOwn } from "../system/store.ts";
import type { Files, System } from "../system/system.ts";
import { Snapshot } from "../types/snapshot.ts";
import { noTrends, observeTrends, Trends } from "./trends.ts";

const folder = (stateDir: string): string => join(stateDir, "history");
const snapshotPath = (stateDir: string): string => join(folder(stateDir), "snapshot.json");

export interface History {
  /**
   * Fills in `disk.fullInHours`, `service.restartsLastHour` and `service.restarts24h`. In memory only: `save` writes.
   */
  observe(snapshot: Snapshot): Snapshot;
  /** The same for a look in between, which leaves no sample. */
  derive(snapshot: Snapshot): Snapshot;
  /** Trends and snapshot, without the secrets in it, atomically, not synced: after a power failure the ones before will do. Throws node's errors. */
  save(snapshot: Snapshot): void;
}

export function createHistory(system: System, stateDir: string, note: (sentence: string) => void): History {
  const { files, clock } = system;
  const path = join(folder(stateDir), "trends.json");
  const store = createStore({
    files,
    path,
    schema: Trends,
    empty: noTrends,
    note,
    durable: false,
    plain: true,
  });
  let trends = store.load();
  return {
    observe(snapshot) {
      const observed = observeTrends(trends, snapshot, clock.now());
      trends = observed.trends;
      return observed.snapshot;
    },
    derive: (snapshot) => observeTrends(trends, snapshot, clock.now()).snapshot,
    save(snapshot) {
      files.makeDirectory(folder(stateDir));
      store.save(trends);
      replaceOwn(files, snapshotPath(stateDir), stringify(withoutSecrets(snapshot)), note, {
        durable: false,
      });
    },
  };
}

/** It stays on disk for days, where whoever may read the state may read it. */
export function withoutSecrets({ facts: { process, ...facts }, ...rest }: Snapshot): Snapshot {
  const processes = process === undefined ? {} : { process: process.map(redactProcess) };
  return { ...redactDeep(rest), facts: { ...redactDeep(facts), ...processes } };
}

/** What the last cycle saw, or one sentence why there is nothing to look at. Throws a WorkError when it cannot be read. */
export function readSnapshot(
  files: Files,
  stateDir: string,
): { ok: true; snapshot: Snapshot } | { ok: false; why: string } {
  const path = snapshotPath(stateDir);
  const text = files.tryRead(path, "own");
  if (text === null) return { ok: false, why: `there is no snapshot yet (${path}); run argus run --once` };
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { ok: false, why: `${path} is not valid JSON; the next cycle writes it anew` };
  }
  const parsed = Snapshot.safeParse(json);
  if (parsed.success) return { ok: true, snapshot: parsed.data };
  const issue = parsed.error.issues[0];
  const where = issue === undefined ? "" : ` (${issue.path.join(".")}: ${issue.message})`;
  return {
    ok: false,
    why: `${path} has the shape of another version${where}; the next cycle writes it anew`,
  };
}
