/**
 * What a line of the first Argus was about. Its text words the same trouble differently each time, so only what names
 * something on the machine is taken from it: a unit, a mount, a kind of process. Pure.
 */
import type { ProblemType } from "../../types/problem.ts";
import { normaliseUnit, unitDisplayName } from "../systemd.ts";
import { unitNameFault } from "../unit-name.ts";

export interface About {
  readonly subject: string;
  /** As the shipped rules call it: what they find today has the same key. */
  readonly condition: string;
}

/** @param type as that Argus wrote it. */
export function aboutOf(type: ProblemType, text: string, actionTaken: string, host: string): About {
  switch (type) {
    case "service":
      return serviceOf(text, actionTaken, host);
    case "disk":
      return { subject: mountIn(text) ?? host, condition: /\binodes?\b/i.test(text) ? "inodes" : "full" };
    case "memory":
      return { subject: host, condition: "high" };
    case "swap":
      return { subject: host, condition: /thrash/i.test(text) ? "thrashing" : "high" };
    case "process":
      return processOf(text, actionTaken, host);
    default:
      return { subject: host, condition: "reported" };
  }
}

/** What that Argus watched, in the ways in which it was written. */
const watched: readonly (readonly [RegExp, string])[] = [
  [/\bmcp[-_ ]?agent[-_ ]?mail\b|\bagent[-_ ]?mail\b/i, "mcp-agent-mail"],
  [/\bathena[-_ ]?web\b/i, "athena-web"],
  [/\bopenclaw[-_ ]?gateway\b|\bgateway\b|\bopenclaw\b/i, "openclaw-gateway"],
];

function serviceOf(text: string, actionTaken: string, host: string): About {
  const condition = "down";
  const restarted = /^restart_service:(.+)$/.exec(actionTaken)?.[1];
  const unit = unitOf(restarted) ?? unitOf(/([A-Za-z0-9:_.\\@-]+)\.service\b/.exec(text)?.[1]);
  if (unit !== null) return { subject: unit, condition };
  const known = watched.find(([pattern]) => pattern.test(text))?.[1];
  return { subject: known ?? unitOf(namedIn(text)) ?? host, condition };
}

function unitOf(name: string | undefined): string | null {
  const trimmed = name?.trim() ?? "";
  return unitNameFault(trimmed) === null ? unitDisplayName(normaliseUnit(trimmed)) : null;
}

const states = "is|was|has|are|went|failed|crashed|stopped|exited|down|inactive|unreachable|not|keeps|became";
const named = new RegExp(
  String.raw`\b(?:[Ss]ervice|[Uu]nit|SERVICE)s?:?\s+["'\u0060]?([a-z][a-z0-9_.@-]{1,63})["'\u0060]?\s+(?:${states})\b`,
);
/** Words that stand there, and are no unit. */
const noUnits = new Set(
  `activity availability check checks connectivity crash detected detection down endpoint endpoints error errors
  failed failure failures health healthcheck in interruption issue issues it latency manager monitor monitoring not
  on outage outages performance port process processes recovery response restart restarts start startup state
  status stop that this timeout unavailable unit unresponsive uptime was which`.split(/\s+/),
);

/** `Service nginx is down`; undefined where no single word is named as a unit is. */
function namedIn(text: string): string | undefined {
  const name = named.exec(text)?.[1]?.replace(/[.-]+$/, "");
  return name === undefined || noUnits.has(name) ? undefined : name;
}

/** What is usually a mount. Deeper paths of prose are a cache, or a log file. */
const mount = String.raw`\/(?:boot\/efi|(?:mnt|media|srv)\/[\w-]{1,32}|boot|data|home|media|mnt|opt|srv|tmp|usr|var)?`;
const alone = String.raw`(?<![\w./:~-])(${mount})(?![\w/-]|\.\w)`;
const before = new RegExp(
  String.raw`\b(?:on|of|at|for|disk|file ?system|partition|volume|mount(?:ed on)?|device)[:\s]+["'\u0060(]?${alone}`,
  "i",
);
const after = new RegExp(
  String.raw`${alone}["'\u0060)]?:?\s+(?:is|at|has|usage|full|disk|file ?system|partition|volume|mount)\b`,
  "i",
);
const root = /(?<![\w./:~-])\/(?![\w./-])|\broot\b[\w ]{0,12}\b(?:disk|file ?system|partition|volume|fs)\b/i;

function mountIn(text: string): string | null {
  if (root.test(text)) return "/";
  return before.exec(text)?.[1] ?? after.exec(text)?.[1] ?? null;
}

function processOf(text: string, actionTaken: string, host: string): About {
  const kill = actionTaken.startsWith("kill_orphan_tests");
  if (
    kill ||
    /orphan|node\s+--test|abandoned|left[- ]?over|stale test|test (?:process|runner|run)/i.test(text)
  )
    return { subject: "node --test", condition: "orphan" };
  if (/zombie|defunct/i.test(text)) return { subject: host, condition: "zombie" };
  if (/\bload\b/i.test(text)) return { subject: host, condition: "load" };
  return { subject: host, condition: "reported" };
}
