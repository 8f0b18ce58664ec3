import { chmodSync, mkdirSync, symlinkSync } from "node:fs";
import { extname, join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config.ts";
import { createSystem } from "../../src/system/machine.ts";
import { UserError } from "../../src/types/errors.ts";
import { asOrdinaryUser } from "../support/ordinary-user.ts";
import { badInputs, emptyMachine, expectedText, type Machine, noteText, strayTexts } from "./cases.ts";

const shipped = join(import.meta.dirname, "../../argus.json");
let machine: Machine;
beforeAll(() => {
  machine = emptyMachine();
});
beforeEach(() => {
  machine.put(shipped, "/opt/argus/argus.json");
  machine.put(shipped, "/etc/argus/argus.json");
});
afterEach(() => {
  machine.empty("/etc");
  machine.empty("/opt");
});
afterAll(() => machine.remove());

function config(env: Record<string, string> = {}) {
  const system = { ...createSystem({ root: machine.root }) };
  return loadConfig({ system, env, workingDir: "/srv", programDir: "/opt/argus" });
}

function said(env: Record<string, string> = {}): string {
  try {
    config(env);
    return "(nothing)";
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return error.lines.join("\n");
  }
}

const cases = badInputs("bad-settings");

describe("a broken settings file is told apart in whole sentences:", () => {
  it.each(cases.map((each) => [`${each.defect}${extname(each.path)}`, each] as const))("%s", (_, input) => {
    machine.put(input.path, `/etc/argus/argus${extname(input.path)}`);
    const text = said();
    noteText(input, text);
    expect(text).toBe(expectedText(input));
  });

  it("has a text for each, and no text without its file", () => {
    expect(cases.length).toBeGreaterThanOrEqual(20);
    expect(strayTexts("bad-settings")).toEqual([]);
  });

  it("speaks to people, and never repeats a secret", () => {
    for (const input of cases) {
      for (const line of expectedText(input).split("\n")) {
        // The names of keys and variables are no secrets.
        const words = line.replace(/secretVariable|ARGUS_SECRET_[A-Z_]*|\.secret: unknown key/gi, "");
        expect(line).toMatch(/^\/etc\/argus\/argus\.(json|env):\d+: \S/);
        expect(words).not.toMatch(
          /zod|invalid input|expected |received|undefined|\bNaN\b|\[object|Symbol|TypeError|secret|hunter2|not-for-this-file/i,
        );
      }
    }
  });
});

describe("a value of the environment that is out of range", () => {
  it.each([
    [{ ARGUS_INTERVAL: "0" }, 'ARGUS_INTERVAL is "0", but must be a whole number from 1 to 86400 (seconds)'],
    [
      { ARGUS_INTERVAL: "ten" },
      'ARGUS_INTERVAL is "ten", but must be a whole number from 1 to 86400 (seconds)',
    ],
    [{ ARGUS_LLM_REVIEW: "weekly" }, 'ARGUS_LLM_REVIEW is "weekly", but must be never or daily'],
    [{ ARGUS_MODE: "foo" }, 'ARGUS_MODE is "foo", but must be watch or act'],
    [{ ARGUS_DRY_RUN: "maybe" }, 'ARGUS_DRY_RUN is "maybe", but must be true or false'],
    [
      { TELEGRAM_CHAT_ID: "5" },
      "TELEGRAM_CHAT_ID is set, but TELEGRAM_BOT_TOKEN is not: set both, or neither",
    ],
    [{ ARGUS_RELAY_ENABLED: "perhaps" }, 'ARGUS_RELAY_ENABLED is "perhaps", but must be true or false'],
    [
      { ARGUS_RELAY_ENABLED: "true" },
      "ARGUS_RELAY_ENABLED is set, but ARGUS_RELAY_TO is not: name the agent that receives",
    ],
    [
      { ARGUS_RELAY_TO: "--help" },
      'ARGUS_RELAY_TO is "--help", but must be the name of an agent, of A-Z, a-z, 0-9, ., _, @ and -',
    ],
    [
      { ARGUS_RELAY_FROM: "the watchdog" },
      'ARGUS_RELAY_FROM is "the watchdog", but must be the name of an agent, of A-Z, a-z, 0-9, ., _, @ and -',
    ],
    [
      { ARGUS_RELAY_BIN: "bin/relay" },
      'ARGUS_RELAY_BIN is "bin/relay", but must be an absolute path or the name of a program',
    ],
    [
      { ARGUS_RELAY_BIN: "-rf" },
      'ARGUS_RELAY_BIN is "-rf", but must be an absolute path or the name of a program',
    ],
    [
      { ARGUS_RELAY_TIMEOUT: "900" },
      'ARGUS_RELAY_TIMEOUT is "900", but must be a whole number from 1 to 300 (seconds)',
    ],
    [
      { ARGUS_SUMMARY_AT: "8 am" },
      'ARGUS_SUMMARY_AT is "8 am", but must be a time of day such as 08:00, or never',
    ],
    [
      { ARGUS_SUMMARY_AT: "24:00" },
      'ARGUS_SUMMARY_AT is "24:00", but must be a time of day such as 08:00, or never',
    ],
    [
      { ARGUS_DASHBOARD_URL: "watch.example" },
      'ARGUS_DASHBOARD_URL is "watch.example", but must be http://… or https://…',
    ],
    [{ ARGUS_CONFIG: "mine.json" }, "/srv/mine.json does not exist; ARGUS_CONFIG must name a settings file"],
  ])("%o", (env, text) => {
    expect(said(env as Record<string, string>)).toBe(text);
  });
});

describe("what stands in the place of a settings file:", () => {
  const mend = "cannot be read by this user; run Argus as its owner, or let this user read it";

  it("a folder", () => {
    machine.empty("/etc/argus/argus.json");
    mkdirSync(join(machine.root, "/etc/argus/argus.json"));
    mkdirSync(join(machine.root, "/etc/argus/argus.env"));
    expect(said()).toBe(
      "/etc/argus/argus.json:1: is a folder; a file must stand here\n/etc/argus/argus.env:1: is a folder; a file must stand here",
    );
  });

  it("a file of 50 MB", () => {
    machine.write("/etc/argus/argus.json", Buffer.alloc(50_000_000, " "));
    machine.write("/etc/argus/argus.env", Buffer.alloc(200_000, " "));
    expect(said()).toBe(
      "/etc/argus/argus.json:1: has 50 MB, but may have at most 1 MB\n/etc/argus/argus.env:1: is not a regular file of at most 100 kB",
    );
  });

  it("a file that this user may not read is not passed over for the bundled one", () => {
    chmodSync(join(machine.root, "/etc/argus/argus.json"), 0o000);
    expect(asOrdinaryUser(machine.root, said)).toBe(`/etc/argus/argus.json:1: ${mend}`);
  });

  it("nor is one in a folder that this user may not search", () => {
    chmodSync(join(machine.root, "/etc/argus"), 0o000);
    const text = asOrdinaryUser(machine.root, said);
    chmodSync(join(machine.root, "/etc/argus"), 0o755);
    expect(text).toBe(`/etc/argus/argus.json:1: ${mend}`);
  });

  it("nothing at all: the bundled one is read", () => {
    machine.empty("/etc/argus");
    expect(config().settingsFile).toBe("/opt/argus/argus.json");
  });
});

it("a secret that the service's copy of argus.env lacks is to be put into the file itself", () => {
  const channel = {
    name: "ops",
    type: "webhook",
    url: "https://example.org/",
    secretVariable: "ARGUS_SECRET_OPS",
  };
  machine.write("/etc/argus/argus.json", JSON.stringify({ channels: [channel] }));
  machine.write("/run/credentials/argus.service/argus.env", "");
  expect(() => config({ CREDENTIALS_DIRECTORY: "/run/credentials/argus.service" })).toThrow(
    "ARGUS_SECRET_OPS is not set; put it into /etc/argus/argus.env, then: sudo systemctl restart argus",
  );
});

describe("what is no error, and still not what somebody meant, is a note:", () => {
  it("secrets that this user may not read", () => {
    machine.write("/etc/argus/argus.env", "ARGUS_INTERVAL=60\n");
    chmodSync(join(machine.root, "/etc/argus/argus.env"), 0o000);
    const { notes, intervalSeconds, envFile, mode, modeSource } = asOrdinaryUser(machine.root, () =>
      config(),
    );
    // It may say that Argus only watches.
    expect([mode, modeSource]).toEqual(["watch", { kind: "hidden", file: "/etc/argus/argus.env" }]);
    expect(asOrdinaryUser(machine.root, () => config({ ARGUS_MODE: "act" }))).toMatchObject({
      mode: "act",
      modeSource: { kind: "environment" },
      notes: ["/etc/argus/argus.env cannot be read by this user, so its settings are not in force here"],
    });
    expect({ notes, intervalSeconds, envFile }).toEqual({
      notes: [
        "/etc/argus/argus.env cannot be read by this user, so its settings are not in force here; an Argus that this user runs would only watch",
      ],
      intervalSeconds: 300,
      envFile: null,
    });
  });

  it("a variable of the environment that is nearly one of ours", () => {
    const { notes } = config({ ARGUS_INTERVALL: "60", ARGUS_PANOPTES: "1", ARGUS_INTERVAL: "60" });
    expect(notes).toEqual([
      "ARGUS_INTERVALL in the environment is no setting of Argus; did you mean ARGUS_INTERVAL?",
    ]);
  });

  it("a folder of local rules that was named and is not there; none without it", () => {
    expect(config({ ARGUS_LOCAL_RULES_DIR: "/etc/argus/rule.d" }).notes).toEqual([
      "ARGUS_LOCAL_RULES_DIR names /etc/argus/rule.d, which does not exist; make that folder, or name another one",
    ]);
    expect(config().notes).toEqual([]);
  });
});

it("links, a byte order mark, quotes, comments and Windows line ends are no defects", () => {
  machine.write("/srv/settings.json", "\uFEFF{}");
  machine.empty("/etc/argus/argus.json");
  symlinkSync("../../srv/settings.json", join(machine.root, "/etc/argus/argus.json"));
  machine.write(
    "/etc/argus/argus.env",
    "\uFEFFARGUS_INTERVAL='60'\r\n; note\r\n# note\r\n\r\nTELEGRAM_CHAT_ID=\r\n",
  );
  const { settingsFile, envFile, intervalSeconds, telegram } = config();
  expect({ settingsFile, envFile, intervalSeconds, telegram }).toEqual({
    settingsFile: "/etc/argus/argus.json",
    envFile: "/etc/argus/argus.env",
    intervalSeconds: 60,
    telegram: null,
  });
});
