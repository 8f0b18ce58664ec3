/**
 * What a line of the first Argus was about. Its text words the same trouble differently each time, so only what names
 * something on the machine is taken from it: a unit, a mount, a kind of process. Pure.
 */
import type { ProblemType } from "../../types/problem.ts";
import { normaliseUnit, unitDisplayName } from "../systemd.ts";
import { unitNameFault } from "../unit-name.ts";
import { mountIn } from "./mount.ts";
import { unitIn } from "./unit-words.ts";

export interface About {
  readonly subject: string;
  /** As the shipped rules call it: what they find today has the same key. */
  readonly condition: string;
  /** The text clearly says so. Of what is only likely no alert of today is held back. */
  readonly isSure: boolean;
}

/** @param type as that Argus wrote it. */
export function aboutOf(type: ProblemType, text: string, actionTaken: string, host: string): About {
  switch (type) {
    case "service":
      return serviceOf(text, actionTaken, host);
    case "disk": {
      const mount = mountIn(text);
      const condition = /\binodes?\b/i.test(text) ? "inodes" : "full";
      return { subject: mount ?? host, condition, isSure: mount !== null };
    }
    case "memory":
      return { subject: host, condition: "high", isSure: isOfHost(text) };
    case "swap": {
      const condition = /(?<!\b(?:no|not) )thrash/i.test(text) ? "thrashing" : "high";
      return { subject: host, condition, isSure: true };
    }
    case "process":
      return processOf(text, actionTaken, host);
    default:
      return { subject: host, condition: "reported", isSure: false };
  }
}

/** Not that of one process. */
const isOfHost = (text: string): boolean =>
  /\b(?:memory|ram)\b/i.test(text) &&
  /\d\s?%/.test(text) &&
  !/\bhog\b|^\W*(?:process|\S+ \(?pid)\b/i.test(text);

/** What that Argus watched, in the ways in which it was written. */
const watched: readonly (readonly [RegExp, string])[] = [
  [/\bmcp[-_ ]?agent[-_ ]?mail\b|\bagent[-_ ]?mail\b/i, "mcp-agent-mail"],
  [/\bathena[-_ ]?web\b/i, "athena-web"],
  [/\bopenclaw[-_ ]?gateway\b|\bopenclaw\b/i, "openclaw-gateway"],
];
/** There are others: `502 bad gateway`, and that of the network. */
const gateway =
  /(?<!\b(?:bad|default|api|network|payment|residential|vpn|nat|internet|mail|50[24])[ -])\bgateway\b(?!\s+(?:time-?out\b|timed out\b|error\b|ip\b|address\b|\d+\.))/i;

const unitName = /([A-Za-z0-9:_\\@-][A-Za-z0-9:_.\\@-]*\.(?:service|socket|timer|mount))\b/g;

function serviceOf(text: string, actionTaken: string, host: string): About {
  const condition = "down";
  const restarted = /^restart_service:(.+)$/.exec(actionTaken)?.[1];
  const written = new Set([...text.matchAll(unitName)].map(([, unit]) => unit));
  const unit =
    unitOf(restarted) ??
    unitOf([...written][0]) ??
    watched.find(([pattern]) => pattern.test(text))?.[1] ??
    unitOf(unitIn(text)) ??
    (gateway.test(text) ? "openclaw-gateway" : null);
  return { subject: unit ?? host, condition, isSure: unit !== null && written.size < 2 };
}

function unitOf(name: string | undefined): string | null {
  const trimmed = name?.trim() ?? "";
  return unitNameFault(trimmed) === null ? unitDisplayName(normaliseUnit(trimmed)) : null;
}

const testRun = /\bnode\s+(?:--)?test\b/i;
const leftOver = /orphan|abandoned|left[- ]?over|stale/i;
/** Of other programs than node. */
const otherTests = /\b(?:cargo|pytest|python\d?|go|jest|rspec|mvn|gradle|phpunit)\b/i;

function processOf(text: string, actionTaken: string, host: string): About {
  const isTest =
    testRun.test(text) || (leftOver.test(text) && /\btests?\b/i.test(text) && !otherTests.test(text));
  if (actionTaken.startsWith("kill_orphan_tests") || isTest)
    return { subject: "node --test", condition: "orphan", isSure: true };
  if (/zombie|defunct/i.test(text)) return { subject: host, condition: "zombie", isSure: true };
  if (/\bload\b/i.test(text))
    return { subject: host, condition: "load", isSure: /\bload average\b/i.test(text) };
  return { subject: host, condition: "reported", isSure: false };
}
