/** The relay and the daily summary, as `argus.env` sets them. */
import { join } from "node:path";
import type { ChannelAccounts } from "../types/channels.ts";
import type { Config, VariableName } from "../types/settings.ts";
import type { Value } from "./env-values.ts";
import { quoted } from "./names.ts";

export interface RelayVariables {
  value(name: VariableName): Value | null;
  readonly isEnabled: boolean;
  readonly timeoutSeconds: number;
  home(path: string): string;
  readonly stateDir: string;
  fault(at: Value, message: string): void;
}

/** Both are arguments of a program: none may be taken for a flag, or hold what no name of an agent holds. */
const agentName = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,127}$/;
const programPath = /^(~?\/[^\p{Cc}]{1,1023}|[A-Za-z0-9][A-Za-z0-9._+-]{0,63})$/u;

/** null: it is not enabled. */
export function relayOf(variables: RelayVariables): ChannelAccounts["relay"] | null {
  const { value, isEnabled, timeoutSeconds, home, stateDir, fault } = variables;
  const read = (name: VariableName, pattern: RegExp, wanted: string): string | null => {
    const found = value(name);
    if (found !== null && !pattern.test(found.text))
      fault(found, `${name} is ${quoted(found.text)}, but must be ${wanted}`);
    return found?.text ?? null;
  };
  const agent = "the name of an agent, of A-Z, a-z, 0-9, ., _, @ and -";
  const program = read("ARGUS_RELAY_BIN", programPath, "an absolute path or the name of a program");
  const to = read("ARGUS_RELAY_TO", agentName, agent);
  const from = read("ARGUS_RELAY_FROM", agentName, agent);
  const enabled = value("ARGUS_RELAY_ENABLED");
  if (!isEnabled || enabled === null) return null;
  if (to === null)
    fault(enabled, "ARGUS_RELAY_ENABLED is set, but ARGUS_RELAY_TO is not: name the agent that receives");
  return {
    type: "relay",
    name: "relay",
    program: home(program ?? "relay"),
    to: to ?? "",
    from: from ?? "argus",
    timeoutSeconds,
    file: join(stateDir, "relay.jsonl"),
  };
}

const defaultTime = "08:00";

/** @param relay whether it is enabled: whoever reads it there expects the summary too. */
export function summaryTime(
  value: Value | null,
  relay: boolean,
  fault: RelayVariables["fault"],
): Config["summaryAt"] {
  if (value === null) return relay ? defaultTime : null;
  if (!/^(([01]\d|2[0-3]):[0-5]\d|never)$/.test(value.text))
    fault(
      value,
      `ARGUS_SUMMARY_AT is ${quoted(value.text)}, but must be a time of day such as 08:00, or never`,
    );
  return value.text;
}
