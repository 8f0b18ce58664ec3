/** What the model is shown besides the snapshot: the last lines of the journal of the units it is asked about. */

import type { System } from "../system/system.ts";
import { unitDisplayName } from "../system/systemd.ts";
import { timeLimit } from "../types/quantities.ts";
import type { Facts } from "../types/snapshot.ts";
import type { Unresolved } from "./unresolved.ts";

export interface JournalTail {
  readonly unit: string;
  /** Oldest first; at most 1500 characters each, not redacted. */
  readonly lines: readonly string[];
  /** One sentence when there are none. */
  readonly missing: string | null;
}

const maxUnits = 3;
const maxLines = 40;
const timeoutMs = 5_000;
/** Far more than is shown of a line, so that a secret in what is shown is seen whole. */
const head = (line: string): string => line.slice(0, 1500);
const unitName = /^[A-Za-z0-9:_.\\@-]{1,255}$/;

/** Never rejects: evidence that cannot be had is said to be missing. */
export async function journalTails(
  system: Pick<System, "run">,
  unresolved: readonly Unresolved[],
  facts: Facts,
  signal: AbortSignal,
): Promise<JournalTail[]> {
  const units = unresolved.flatMap(({ findings }) =>
    findings.flatMap(({ finding }) => unitOf(finding.entity, facts)),
  );
  const wanted = [...new Set(units)].filter((unit) => unitName.test(unit)).slice(0, maxUnits);
  return Promise.all(wanted.map((unit) => tailOf(system, unit, signal)));
}

function unitOf(entity: { kind: string; identity: string } | null, facts: Facts): string[] {
  if (entity?.kind === "service") return [entity.identity];
  if (entity?.kind !== "endpoint") return [];
  const service = (facts.endpoint ?? []).find(({ name }) => name === entity.identity)?.service;
  return service === null || service === undefined ? [] : [unitDisplayName(service)];
}

async function tailOf({ run }: Pick<System, "run">, unit: string, signal: AbortSignal): Promise<JournalTail> {
  const args = [
    "--no-pager",
    "--quiet",
    "--no-hostname",
    "--output=short-iso",
    `--lines=${maxLines}`,
    `--unit=${unit}`,
  ];
  const missing = (why: string): JournalTail => ({ unit, lines: [], missing: why });
  try {
    const result = await run("journalctl", args, { timeoutMs, signal });
    if (result.missing) return missing("there is no journalctl here");
    if (result.timedOut) return missing(`journalctl did not answer within ${timeLimit(timeoutMs)}`);
    const lines = result.stdout.split("\n").filter((line) => line !== "");
    if (lines.length > 0) return { unit, lines: lines.slice(-maxLines).map(head), missing: null };
    return missing(
      result.exitCode === 0 ? "the journal has nothing about it" : "the journal could not be read",
    );
  } catch (error) {
    return missing(`the journal could not be read: ${error instanceof Error ? error.message : error}`);
  }
}
