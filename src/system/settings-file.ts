/** `argus.json`: read strictly, with what a schema cannot say. */

import { type Settings, SettingsFile, variables } from "../types/settings.ts";
import { nameOf } from "./channel-settings.ts";
import { faultsOf } from "./json-faults.ts";
import { type Fault, isFault, type JsonPath, parseJson, pathText, readJson } from "./json-source.ts";
import { quoted } from "./names.ts";
import type { Files } from "./system.ts";
import { unitNameFault } from "./unit-name.ts";

export interface ReadSettings {
  readonly settings: Settings;
  readonly text: string;
  /**
   * Names that systemd refuses, though they look like those of units. They keep nobody from starting: the others are
   * watched meanwhile.
   */
  readonly unitFaults: readonly Fault[];
  /** A fault of what stands there. */
  readonly faultAt: (path: JsonPath, message: string) => Fault;
}

/**
 * @param instead what to take for the content of the file.
 * @returns the settings, or everything that is wrong with them.
 */
export function readSettings(
  files: Files,
  file: string,
  instead?: string,
): ReadSettings | { faults: readonly Fault[] } {
  const source = instead === undefined ? readJson(files, file) : parseJson(file, instead);
  if (isFault(source)) return { faults: [source] };
  const parsed = SettingsFile.safeParse(source.value);
  if (!parsed.success) return { faults: faultsOf(source, SettingsFile, parsed.error).map(inTheRightFile) };
  const faultAt = (path: JsonPath, message: string): Fault => ({
    file: source.file,
    line: source.lineOf(path),
    path: pathText(path),
    message,
  });
  const faults: Fault[] = [];
  contradictions(parsed.data, (path, message) => void faults.push(faultAt(path, message)));
  if (faults.length > 0) return { faults };
  return {
    settings: settingsOf(parsed.data),
    text: source.text,
    unitFaults: unitFaults(parsed.data, faultAt),
    faultAt,
  };
}

/** An entry without a unit is an endpoint like the others. */
function settingsOf({ services, ...rest }: SettingsFile): Settings {
  const named = services.flatMap(({ unit, name, endpoint }) =>
    unit === undefined && name !== undefined && endpoint !== undefined ? [{ name, ...endpoint }] : [],
  );
  return {
    ...rest,
    services: services.flatMap(({ name: _, unit, ...service }) =>
      unit === undefined ? [] : [{ unit, ...service }],
    ),
    endpoints: [...named, ...rest.endpoints],
  };
}

function unitFaults({ services }: SettingsFile, faultAt: ReadSettings["faultAt"]): Fault[] {
  return services.flatMap(({ unit, requires }, index) => {
    if (unit === undefined) return [];
    const at = (path: JsonPath, name: string) => {
      const fault = unitNameFault(name);
      return fault === null ? [] : [faultAt(path, `${quoted(name)} ${fault}`)];
    };
    return [
      ...at(["services", index, "unit"], unit),
      ...requires.flatMap((name, each) => at(["services", index, "requires", each], name)),
    ];
  });
}

/** A secret at the top of the settings is one in the wrong file. */
function inTheRightFile(fault: Fault): Fault {
  if (/^channels\[\d+\]\.type$/.test(fault.path) && fault.message.startsWith('"telegram"')) {
    const mend = "set TELEGRAM_BOT_TOKEN and TELEGRAM_CHAT_ID there, and take this one out";
    return { ...fault, message: `Telegram stands in argus.env: ${mend}` };
  }
  return Object.hasOwn(variables, fault.path)
    ? { ...fault, message: "unknown key; it belongs into argus.env" }
    : fault;
}

type Say = (path: JsonPath, message: string) => void;
const bare = (unit: string) => unit.replace(/\.service$/, "");

function contradictions(settings: SettingsFile, say: Say): void {
  const endpoints = checkServices(settings, say);
  for (const [index, { name, ...probe }] of settings.endpoints.entries()) {
    if (endpoints.has(name)) say(["endpoints", index, "name"], `"${name}" is the name of another endpoint`);
    endpoints.add(name);
    checkProbe(probe, ["endpoints", index], say);
  }
  const windows = new Set<string>();
  for (const [index, { name }] of settings.maintenance.entries()) {
    if (windows.has(name)) say(["maintenance", index, "name"], `"${name}" is the name of another window`);
    windows.add(name);
  }
  checkChannels(settings, say);
  for (const [index, name] of settings.processes.killable.entries()) {
    if (!settings.processes.protected.includes(name)) continue;
    say(
      ["processes", "killable", index],
      `${quoted(name)} is also in processes.protected; it can only be in one`,
    );
  }
}

function checkChannels({ channels }: SettingsFile, say: Say): void {
  const names = new Set(["telegram", "relay"]);
  for (const [index, channel] of channels.entries()) {
    const name = nameOf(channel);
    const taken = `"${name}" is the name of another channel; give this one a name of its own`;
    if (names.has(name)) say(["channels", index, "name"], taken);
    names.add(name);
    if (!("url" in channel)) continue;
    const { username, password } = new URL(channel.url);
    if (username === "" && password === "") continue;
    const mend =
      "take them out, and put `Basic …` into argus.env under the name that authorizationVariable gives";
    say(["channels", index, "url"], `holds a user or a password, which more people may read here; ${mend}`);
  }
}

/** @returns the names that the services' endpoints go by. */
function checkServices({ services }: SettingsFile, say: Say): Set<string> {
  const requires = new Map<string, readonly string[]>();
  const endpoints = new Set<string>();
  for (const [index, service] of services.entries()) {
    if (service.unit === undefined || service.name !== undefined) {
      checkNamed(service, ["services", index], say);
      if (service.name !== undefined && endpoints.has(service.name))
        say(["services", index, "name"], `"${service.name}" is the name of another endpoint`);
      endpoints.add(service.name ?? "");
      continue;
    }
    const name = bare(service.unit);
    if (requires.has(name)) say(["services", index, "unit"], `"${service.unit}" is listed twice`);
    requires.set(name, service.requires.map(bare));
    if (service.endpoint === undefined) continue;
    endpoints.add(name);
    checkProbe(service.endpoint, ["services", index, "endpoint"], say);
  }
  const inCircles = new Set<string>();
  for (const [index, service] of services.entries()) {
    const name = bare(service.unit ?? "");
    for (const [at, required] of service.requires.entries()) {
      const way = wayBack(requires, bare(required), name, new Set());
      if (way === null || inCircles.has(name)) continue;
      for (const each of way) inCircles.add(each);
      const circle = [name, ...way].map((each) => `"${each}"`).join(" requires ");
      const what =
        way.length === 1 ? `"${name}" cannot require itself` : `${circle}: none of them could be restarted`;
      say(["services", index, "requires", at], what);
    }
  }
  return endpoints;
}

type Entry = SettingsFile["services"][number];

/** What systemd does not run can be probed, and nothing else. */
function checkNamed({ unit, name, endpoint, restart, requires }: Entry, path: JsonPath, say: Say): void {
  if (name === undefined) {
    say([...path, "unit"], "is missing; name the systemd unit, or give a name and an endpoint");
  } else if (unit !== undefined) {
    say([...path, "name"], "is for what has no unit; the unit is its name: leave one of the two out");
  } else if (endpoint === undefined) {
    say([...path, "endpoint"], "is missing; without a unit there is nothing else to watch");
  } else {
    if (restart)
      say([...path, "restart"], "needs a unit: without one there is nothing that could be restarted");
    if (requires.length > 0) say([...path, "requires"], "is for what is restarted, and this has no unit");
    checkProbe(endpoint, [...path, "endpoint"], say);
  }
}

function checkProbe(probe: { url: string; expectStatus?: unknown }, path: JsonPath, say: Say): void {
  if (probe.expectStatus === undefined || !probe.url.startsWith("tcp:")) return;
  say([...path, "expectStatus"], "is for http:// and https:// only; a TCP connection has no status");
}

/** The units from one to another along their requirements; null when there is no way. */
function wayBack(
  requires: ReadonlyMap<string, readonly string[]>,
  from: string,
  to: string,
  seen: Set<string>,
): string[] | null {
  if (from === to) return [to];
  if (seen.has(from)) return null;
  seen.add(from);
  for (const next of requires.get(from) ?? []) {
    const way = wayBack(requires, next, to, seen);
    if (way !== null) return [from, ...way];
  }
  return null;
}
