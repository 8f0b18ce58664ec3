/** Rules that can be used, and still watch nothing: a host without rules looks like a host that is well. */
import type { RuleSet } from "./load.ts";

/** As a rule about a service that is down would see it; what a rule asks beside that may be either way. */
const downService = { watched: true, down: true, status: "down" };

/**
 * One sentence about what nobody would be told of; null: nothing of the kind.
 * @param services how many argus.json names.
 */
export function sightlessSentence({ rules, disabled }: RuleSet, services: number): string | null {
  const off = disabled.length === 0 ? "" : ` (${numbered(disabled.length, "rule")} switched off)`;
  if (rules.length === 0) return `no rule is in force${off}, so nobody is told of anything`;
  const seesServices = rules.some(
    ({ compiled }) => compiled.facts.includes("service") && !compiled.surelyQuiet({ service: downService }),
  );
  if (seesServices || services === 0) return null;
  return `argus.json names ${numbered(services, "service")}, and no rule in force looks at them${off}: nobody is told when one is down`;
}

const numbered = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? "" : "s"}`;

/** @param localRulesDir where rules are switched off. */
export const sightlessFix = (localRulesDir: string): string =>
  `take the entries with "enabled": false out of the files in ${localRulesDir}; run install.sh again if shipped rules are missing`;
