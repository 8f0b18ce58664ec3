import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { loadConfig } from "../src/config.ts";
import { createSystem } from "../src/system/machine.ts";
import { variables } from "../src/types/settings.ts";
import { emptyMachine, type Machine } from "./bad-input/cases.ts";

let machine: Machine;
beforeAll(() => {
  machine = emptyMachine();
  machine.put(join(import.meta.dirname, "../argus.json"), "/opt/argus/argus.json");
});
afterEach(() => machine.empty("/etc"));
afterAll(() => machine.remove());

function config(env: Record<string, string> = {}) {
  const system = createSystem({ root: machine.root });
  return loadConfig({
    system: { ...system, self: { ...system.self, home: "/home/dev" } },
    env,
    workingDir: "/srv",
    programDir: "/opt/argus",
  });
}

describe("settings", () => {
  it("without any of one's own are those beside the program", () => {
    expect(config()).toMatchObject({
      intervalSeconds: 300,
      dryRun: false,
      settingsFile: "/opt/argus/argus.json",
      envFile: null,
      rulesDir: "/opt/argus/rules",
      localRulesDir: "/etc/argus/rules.d",
      stateDir: "/srv/state",
      logDir: "/srv/logs",
      observationsFile: "/srv/state/observations.md",
      telegram: null,
      anthropicKey: null,
      notes: [],
    });
  });

  it("of the machine come before those beside the program, their argus.env with them", () => {
    machine.write("/etc/argus/argus.json", '{ "services": [] }');
    machine.write("/etc/argus/argus.env", "ARGUS_INTERVAL=60\nANTHROPIC_API_KEY=key\n");
    expect(config()).toMatchObject({
      settingsFile: "/etc/argus/argus.json",
      envFile: "/etc/argus/argus.env",
      intervalSeconds: 60,
      anthropicKey: "key",
    });
  });

  it("named by ARGUS_CONFIG come before both", () => {
    machine.write("/etc/argus/argus.json", "{}");
    machine.write("/srv/mine/argus.json", '{ "homes": ["~", "~/other", "/root"], "tmuxSockets": ["~/s"] }');
    machine.write("/srv/mine/argus.env", "ARGUS_INTERVAL=61\n");
    const { settingsFile, settings, intervalSeconds } = config({ ARGUS_CONFIG: "mine/argus.json" });
    expect([settingsFile, settings.homes, settings.tmuxSockets, intervalSeconds]).toEqual([
      "/srv/mine/argus.json",
      ["/home/dev", "/home/dev/other", "/root"],
      ["/home/dev/s"],
      61,
    ]);
  });

  it("of the environment win over the file, unless they are empty", () => {
    machine.write("/etc/argus/argus.json", "{}");
    machine.write("/etc/argus/argus.env", "ARGUS_INTERVAL=60\nARGUS_DRY_RUN=yes\n");
    expect(config({ ARGUS_INTERVAL: "70", ARGUS_DRY_RUN: "" })).toMatchObject({
      intervalSeconds: 70,
      dryRun: true,
    });
  });

  it("that are relative paths begin where they were written down", () => {
    machine.write("/etc/argus/argus.json", "{}");
    machine.write("/etc/argus/argus.env", "ARGUS_STATE_DIR=state\nARGUS_LOG_DIR=~/logs\n");
    expect(config({ ARGUS_RULES_DIR: "rules" })).toMatchObject({
      stateDir: "/etc/argus/state",
      logDir: "/home/dev/logs",
      rulesDir: "/srv/rules",
    });
  });

  it("leave the folders to systemd where they name none", () => {
    const given = { STATE_DIRECTORY: "/var/lib/argus:/var/lib/other", LOGS_DIRECTORY: "/var/log/argus" };
    expect(config(given)).toMatchObject({
      stateDir: "/var/lib/argus",
      logDir: "/var/log/argus",
      observationsFile: "/var/lib/argus/observations.md",
    });
    expect(config({ ...given, ARGUS_STATE_DIR: "/data" })).toMatchObject({ stateDir: "/data" });
  });

  it.each([
    ["true", true],
    ["YES", true],
    ["on", true],
    ["1", true],
    ["false", false],
    ["No", false],
    ["off", false],
    ["0", false],
  ])("ARGUS_DRY_RUN=%s", (text, value) => {
    expect(config({ ARGUS_DRY_RUN: text }).dryRun).toBe(value);
  });

  it("take every number from its smallest to its largest, and none beyond", () => {
    const numbers = Object.entries(variables).flatMap(([name, row]) =>
      row.kind === "integer" ? [{ name, ...row }] : [],
    );
    expect(numbers.length).toBeGreaterThan(5);
    for (const { name, min, max, unit } of numbers) {
      const text = `but must be a whole number from ${min} to ${max} (${unit})`;
      expect(() => config({ [name]: String(min) })).not.toThrow();
      expect(() => config({ [name]: String(max) })).not.toThrow();
      expect(() => config({ [name]: String(min - 1) })).toThrow(`${name} is "${min - 1}", ${text}`);
      expect(() => config({ [name]: String(max + 1) })).toThrow(`${name} is "${max + 1}", ${text}`);
    }
  });

  it("for Telegram need the token and the chat", () => {
    const both = { TELEGRAM_BOT_TOKEN: "123:abc", TELEGRAM_CHAT_ID: "-100" };
    expect(config(both).telegram).toEqual({
      token: "123:abc",
      chatId: "-100",
      apiUrl: "https://api.telegram.org",
    });
    expect(config({ ...both, TELEGRAM_API_URL: "http://127.0.0.1:8081" }).telegram?.apiUrl).toBe(
      "http://127.0.0.1:8081",
    );
  });

  it("for the relay need who receives; with it the summary is sent at eight", () => {
    const relay = { ARGUS_RELAY_ENABLED: "yes", ARGUS_RELAY_TO: "athena" };
    expect(config({ ARGUS_RELAY_TO: "athena" })).toMatchObject({ channels: [], summaryAt: null });
    const { channels, summaryAt, stateDir } = config(relay);
    expect([channels, summaryAt]).toEqual([
      [
        {
          type: "relay",
          name: "relay",
          program: "relay",
          to: "athena",
          from: "argus",
          timeoutSeconds: 5,
          file: join(stateDir, "relay.jsonl"),
        },
      ],
      "08:00",
    ]);
    expect(config({ ...relay, ARGUS_SUMMARY_AT: "never" }).summaryAt).toBe("never");
    expect(config({ ARGUS_SUMMARY_AT: "21:30" }).summaryAt).toBe("21:30");
  });
});
