/** What `argus doctor` says of tickets: the tool that files them, or what keeps it from that. */
import { type Ability, broken, limited, ok } from "../collect/ability.ts";
import { findTracker } from "../notify/tickets/tracker.ts";
import { minute } from "../report/values.ts";
import { errorCode } from "../system/files.ts";
import type { System } from "../system/system.ts";
import { viewTickets } from "../system/ticket-book.ts";
import type { Config } from "../types/settings.ts";

const name = "tickets";

/** Without a wish for tickets there is nothing to say. */
export async function ticketChecks(system: System, config: Config): Promise<Ability[]> {
  const { tickets } = config.settings;
  if (!tickets.enabled) return [];
  const tracker = findTracker(system, tickets);
  const view = viewOf(system, config);
  // Another user files them, on a search path of its own: what that one found counts.
  const isElsewhere = filesElsewhere(system, config);
  const found = isElsewhere && view !== null && view.open > 0;
  const missing =
    isElsewhere && view?.missing
      ? view.missing
      : tracker === null && !found
        ? (tickets.tool ?? "bd or br")
        : null;
  const tool = tracker?.tool ?? tickets.tool ?? "bd";
  if (missing !== null) {
    const detail = `there is no ${missing} here: what no rule resolves reaches people by alerts alone`;
    const mend =
      'install beads (bd or br), or say where it lies (tickets.tool in argus.json); "tickets": {"enabled": false} if none are wanted';
    return [limited(name, detail, mend)];
  }
  if (view !== null && view.trouble !== null)
    return [broken(name, `${view.trouble.text} (since ${minute(view.trouble.since)} UTC)`, init(tool))];
  const where = tickets.directory ?? "the folder that Argus is started in";
  const files = `${tool} files them in ${where}`;
  // As another user than Argus it could leave files behind that Argus may not write.
  if (isElsewhere || tracker === null)
    return [ok(name, view === null ? files : `${files}; ${view.open} open`)];
  const open = await tracker.open({ timeoutMs: 5000, signal: new AbortController().signal });
  return [
    open.ok ? ok(name, `${files}; ${open.value.length} open`) : limited(name, open.error, init(tracker.tool)),
  ];
}

/** Whether another user than this one files them: that of the service, or whoever's the state is. */
function filesElsewhere({ files, self }: System, { executorSocket, stateDir }: Config): boolean {
  if (executorSocket !== null) return true;
  try {
    return (files.stat(stateDir)?.uid ?? self.uid) !== self.uid;
  } catch (error) {
    if (errorCode(error) === "EACCES") return true;
    throw error;
  }
}

const init = (tool: string): string =>
  `run \`${tool} init\` in a folder that Argus's user can write, and name it in argus.json (tickets.directory)`;

/** null: this user may not look into it. */
function viewOf({ files }: System, { stateDir }: Config): ReturnType<typeof viewTickets> | null {
  try {
    return viewTickets(files, stateDir, true);
  } catch (error) {
    if (errorCode(error) === "EACCES") return null;
    throw error;
  }
}
