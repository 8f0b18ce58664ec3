/** Units that go down and come back, by whatever name argus.json has for them. */
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Parts } from "../src/cycle.ts";
import { noBus } from "../src/system/bus/bus.ts";
import { createSystem } from "../src/system/machine.ts";
import { createWatchedNames } from "../src/watched-names.ts";
import { createPrograms, type Programs } from "./collect/programs.ts";
import { configWith } from "./collect/tree.ts";

let programs: Programs;
beforeEach(() => {
  programs = createPrograms();
});
afterEach(() => programs.dispose());

function names(services: object[]) {
  const system = { ...createSystem({ path: programs.path }), bus: noBus };
  const parts = { system, config: configWith({ services }) } as unknown as Parts;
  return createWatchedNames(() => parts);
}
const shows = (text: string) => programs.write("systemctl", `printf '${text}'`);

it("an alias in argus.json and the unit behind it are one", async () => {
  shows("Id=real.service\\nNames=real.service nick.service\\nLoadState=loaded\\nActiveState=failed\\n");
  const watched = names([{ unit: "nick", restart: true }, { unit: "seen" }]);
  expect(await watched.wentDown("real.service")).toBe(true);
  expect(await watched.wentDown("nick.service")).toBe(true);
  // That nobody may restart it is no reason to hear of it late.
  expect(await watched.wentDown("seen.service")).toBe(true);
  expect(await watched.wentDown("other.service")).toBe(false);
});

it("what a service that is down needs wakes Argus when it is back, and nothing else does", async () => {
  shows(
    "Id=app.service\\nNames=app.service\\nLoadState=loaded\\nActiveState=inactive\\nBindsTo=db.service\\n",
  );
  const watched = names([{ unit: "app", restart: true }]);
  expect(await watched.cameUp("db.service")).toBeNull();
  await watched.wentDown("app.service");
  expect(await watched.cameUp("other.service")).toBeNull();
  expect(await watched.cameUp("db.service")).toBe("db.service is active, which app.service needs");
  // Up again, it needs nobody's help.
  await watched.cameUp("app.service");
  expect(await watched.cameUp("db.service")).toBeNull();
});

it("a systemd that does not answer costs the alias alone", async () => {
  programs.write("systemctl", "exit 1");
  const watched = names([{ unit: "app", restart: true }]);
  expect(await watched.wentDown("app.service")).toBe(true);
  expect(await watched.wentDown("other.service")).toBe(false);
});
