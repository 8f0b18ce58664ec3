/** argus.env as systemd hands it over, and what Argus goes by where it had none. */
import { afterEach, beforeEach, expect, it } from "vitest";
import { keepSettings, settingsInForce } from "../src/settings-in-force.ts";
import { createSystem } from "../src/system/machine.ts";
import { emptyMachine, type Machine } from "./bad-input/cases.ts";

const credentials = "/run/credentials/argus.service";
const chat = "TELEGRAM_BOT_TOKEN=123456:abcdefghijklmnop\nTELEGRAM_CHAT_ID=-100\n";
let machine: Machine;
beforeEach(() => {
  machine = emptyMachine();
  machine.write("/etc/argus/argus.json", "{}");
  machine.write("/etc/argus/argus.env", chat);
  machine.write("/srv/state/.keep", "");
});
afterEach(() => machine.remove());

const settings = (env: Record<string, string> = { CREDENTIALS_DIRECTORY: credentials }) => {
  const system = createSystem({ root: machine.root });
  const read = () =>
    settingsInForce({ system, env, workingDir: "/srv", programDir: "/opt/argus" }, () => "/srv/state");
  return { ...read(), keep: () => keepSettings(system, "/srv/state", read(), () => undefined) };
};

it("a service that was given no argus.env goes by its last good copy, until it is started with one", () => {
  machine.write(`${credentials}/argus.env`, chat);
  settings().keep();
  machine.write(`${credentials}/argus.env`, "#not-found");
  machine.empty("/etc/argus/argus.env");
  const gone = settings().config;
  expect(gone.telegram?.chatId).toBe("-100");
  expect(gone.broken?.faults).toEqual([expect.stringMatching(/^\/etc\/argus\/argus\.env was missing when /)]);
  // It is there again, and yet not handed over.
  machine.write("/etc/argus/argus.env", chat);
  expect(settings().config.broken).toEqual(gone.broken);
  machine.write(`${credentials}/argus.env`, chat);
  expect(settings().config.broken).toBeUndefined();
});

it("whoever reads the file itself goes by the copy too, where something stood in it", () => {
  settings({}).keep();
  machine.empty("/etc/argus/argus.env");
  const { config } = settings({});
  expect([config.telegram?.chatId, config.broken?.faults]).toEqual([
    "-100",
    ["/etc/argus/argus.env does not exist any more; put it back (it may be empty)"],
  ]);
  machine.write("/etc/argus/argus.env", "");
  expect(settings({}).config.broken).toBeUndefined();
  settings({}).keep();
  machine.empty("/etc/argus/argus.env");
  expect(settings({}).config.broken).toBeUndefined();
});

it("without a copy Argus only watches", () => {
  machine.write(`${credentials}/argus.env`, "#not-found\n");
  machine.empty("/etc/argus/argus.env");
  expect(settings().config).toMatchObject({ mode: "watch", modeSource: { kind: "broken" } });
});

it("a token of the environment without its chat is left out, and stays when argus.env has the chat", () => {
  machine.write("/etc/argus/argus.env", "");
  const env = { TELEGRAM_BOT_TOKEN: "123456:abcdefghijklmnop" };
  const { config } = settings(env);
  expect([config.telegram, config.broken?.faults]).toEqual([
    null,
    [expect.stringMatching(/^environment: TELEGRAM_BOT_TOKEN is set, but TELEGRAM_CHAT_ID is not/)],
  ]);
  machine.write("/etc/argus/argus.env", "TELEGRAM_CHAT_ID=-7\n");
  settings(env).keep();
  machine.write("/etc/argus/argus.env", "nonsense\n");
  expect(settings(env).config.telegram?.chatId).toBe("-7");
});
