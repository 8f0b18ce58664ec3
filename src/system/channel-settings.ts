/** The channels of `argus.json` with their secrets, and those that stand in `argus.env` alone. */
import type { Channel, ChannelSetting } from "../types/channels.ts";
import type { Config, Settings } from "../types/settings.ts";
import type { JsonPath } from "./json-source.ts";

export const nameOf = (setting: Pick<ChannelSetting, "type" | "name">): string =>
  setting.name ?? setting.type;

/**
 * @param secretOf the value of a variable, empty when this user may not read it.
 * @param missing told of each variable that is named and not set, and where it is named.
 */
export function resolveChannels(
  { channels: settings, telegram: answering }: Pick<Settings, "channels" | "telegram">,
  { telegram, relay }: { telegram: Config["telegram"]; relay: Channel | null },
  secretOf: (variable: string) => string | null,
  missing: (path: JsonPath, variable: string) => void,
): Channel[] {
  const may = answering === undefined ? {} : { may: answering.may };
  const channels: Channel[] = [
    ...(telegram === null ? [] : [{ type: "telegram" as const, name: "telegram", ...telegram, ...may }]),
    ...(relay === null ? [] : [relay]),
  ];
  for (const [index, setting] of settings.entries()) {
    const name = nameOf(setting);
    const secret = (variable: string, key: string): string => {
      const value = secretOf(variable);
      if (value === null) missing(["channels", index, key], variable);
      return value ?? "";
    };
    if (setting.type === "command") {
      channels.push({ ...setting, name });
      continue;
    }
    const { authorizationVariable, url, timeoutSeconds } = setting;
    const authorization =
      authorizationVariable === undefined ? null : secret(authorizationVariable, "authorizationVariable");
    const web = { name, url, timeoutSeconds, authorization };
    if (setting.type === "webhook")
      channels.push({ type: "webhook", ...web, secret: secret(setting.secretVariable, "secretVariable") });
    else channels.push({ type: "alertmanager", ...web });
  }
  return channels;
}
