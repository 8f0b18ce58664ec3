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
  // Installed, another user files them, on a search path of its own: what that one found counts.
  const missing =
    tracker === null ? (tickets.tool ?? "bd or br") : isInstalled(config) ? view?.missing : null;
  if (tracker === null || typeof missing === "string") {
    const detail = `there is no ${missing} here: what no rule resolves reaches people by alerts alone`;
    const mend =
      'install beads (bd or br), or say where it lies (tickets.tool in argus.json); "tickets": {"enabled": false} if none are wanted';
    return [limited(name, detail, mend)];
  }
  if (view !== null && view.trouble !== null)
    return [
      broken(name, `${view.trouble.text} (since ${minute(view.trouble.since)} UTC)`, init(tracker.tool)),
    ];
  const where = tickets.directory ?? "the folder that Argus is started in";
  const files = `${tracker.tool} files them in ${where}`;
  // As another user than Argus it could leave files behind that Argus may not write.
  if (isInstalled(config)) return [ok(name, view === null ? files : `${files}; ${view.open} open`)];
  const open = await tracker.open({ timeoutMs: 5000, signal: new AbortController().signal });
  return [
    open.ok ? ok(name, `${files}; ${open.value.length} open`) : limited(name, open.error, init(tracker.tool)),
  ];
}

const isInstalled = ({ executorSocket }: Config): boolean => executorSocket !== null;

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
