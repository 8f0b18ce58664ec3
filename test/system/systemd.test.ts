/** Against outputs of a real systemd, recorded on a throwaway host: see test/host/services.host.ts. */
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createClock } from "../../src/system/clock.ts";
import { createFiles } from "../../src/system/files.ts";
import { createSystem } from "../../src/system/machine.ts";
import { createRun } from "../../src/system/run.ts";
import {
  isSystemdRunning,
  normaliseUnit,
  parseUnits,
  showUnits,
  showUnitsAndFailed,
  unitDisplayName,
} from "../../src/system/systemd.ts";
import { stopWasRequested } from "../../src/system/unit-journal.ts";
import { stateEntered } from "../../src/system/unit-state.ts";
import { createPrograms, type Programs } from "../collect/programs.ts";
import { unitCases } from "../host/unit-states.ts";

const recordings = join(import.meta.dirname, "../fixtures/systemd");
const recorded = (name: string) => readFileSync(join(recordings, name), "utf8");
const booted = '{"MESSAGE_ID":"eed00a68ffd84e31882105fd973abdd1","__MONOTONIC_TIMESTAMP":"1"}';

let programs: Programs;
beforeEach(() => {
  programs = createPrograms();
});
afterEach(() => programs.dispose());

const run = () => createRun(programs.path);
const bootId = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";
const journal = (program = run()) => ({ run: program, clock: createClock(bootId) });
const system = () => createSystem({ path: programs.path });
/** A systemctl that answers with a recording, and keeps what it was asked. */
const playSystemctl = (...names: string[]) =>
  programs.write(
    "systemctl",
    `printf '%s\\n' "$@" > ${programs.folder}/asked\n${names.map((name) => `cat ${recordings}/${name}; echo`).join("\n")}`,
  );
const asked = () => readFileSync(join(programs.folder, "asked"), "utf8").trim().split("\n");

describe("names", () => {
  it.each([
    ["nginx", "nginx.service", "nginx"],
    ["foo.bar", "foo.bar.service", "foo.bar"],
    ["mnt-data.mount", "mnt-data.mount", "mnt-data.mount"],
    ["getty@tty1.service", "getty@tty1.service", "getty@tty1"],
  ])("%s is the unit %s and shown as %s", (name, unit, shown) => {
    expect(normaliseUnit(name)).toBe(unit);
    expect(unitDisplayName(unit)).toBe(shown);
  });
});

describe("isSystemdRunning", () => {
  it("asks for the folder that sd_booted(3) asks for", () => {
    const files = createFiles(programs.folder);
    expect(isSystemdRunning(files)).toBe(false);
    mkdirSync(join(programs.folder, "run/systemd/system"), { recursive: true });
    expect(isSystemdRunning(files)).toBe(true);
  });
});

describe("showUnits", () => {
  it.each(unitCases)("reads $name: $what", async ({ name, settles }) => {
    playSystemctl(`${name}.show.txt`);
    const [unit] = await showUnits(system(), [name]);
    const { loadState, activeState, subState, result, unitFileState } =
      unit ?? parseUnits("")[0] ?? expect.fail();
    expect([loadState, activeState, subState, result, unitFileState].join(" ")).toBe(settles);
    expect(unit?.id).toBe(`${name}.service`);
  });

  it("takes pids, counters, jobs and time stamps", async () => {
    playSystemctl("active.show.txt", "starting.show.txt", "stopped.show.txt", "auto-restart.show.txt");
    const [active, starting, stopped, waiting] = await showUnits(system(), [
      "active",
      "starting",
      "stopped",
      "auto-restart",
    ]);
    expect(active?.mainPid).toBeGreaterThan(1);
    expect(active?.job).toBe(false);
    expect(starting?.job).toBe(true);
    expect(stopped?.mainPid).toBe(0);
    expect(active && stateEntered(active)).toBe(active?.activeEnterMicroseconds);
    expect(starting && stateEntered(starting)).toBe(starting?.inactiveExitMicroseconds);
    expect(stopped && stateEntered(stopped)).toBe(stopped?.inactiveEnterMicroseconds);
    expect(waiting?.activeState).toBe("activating");
    expect(stopped?.inactiveEnterMicroseconds).toBeGreaterThan(stopped?.activeEnterMicroseconds ?? 0);
  });

  it("does not know since when a unit is down that systemd has forgotten", async () => {
    playSystemctl("stopped-disabled.show.txt");
    const [unit] = await showUnits(system(), ["stopped-disabled"]);
    expect(unit && stateEntered(unit)).toBeNull();
  });

  it("finds a unit by an alias, and answers in the order it was asked in", async () => {
    programs.write(
      "systemctl",
      "printf 'Id=b.service\\nNames=b.service\\n\\nId=real.service\\nNames=real.service alias.service\\nDescription=x=y\\n'",
    );
    const units = await showUnits(system(), ["alias", "b", "real.service"]);
    expect(units.map(({ id }) => id)).toEqual(["real.service", "b.service", "real.service"]);
  });

  it("asks for no failed unit, and hands every name over as one argument after --", async () => {
    playSystemctl("active.show.txt");
    await expect(showUnits(system(), ["active", "-H evil"])).rejects.toThrow(
      "systemctl said nothing about -H evil.service",
    );
    expect(asked().slice(asked().indexOf("--"))).toEqual(["--", "active.service", "-H evil.service"]);
  });

  it("starts nothing when nothing is asked", async () => {
    programs.write("systemctl", "exit 1");
    await expect(showUnits(system(), [])).resolves.toEqual([]);
  });
});

describe("showUnitsAndFailed", () => {
  it("tells the named units and every failed one, in one call", async () => {
    playSystemctl("watched-and-failed.show.txt");
    const { asked: named, failed } = await showUnitsAndFailed(system(), ["active", "stopped", "not-found"]);
    expect(named.map((each) => ("id" in each ? each.id : each.refused))).toEqual([
      "active.service",
      "stopped.service",
      "not-found.service",
    ]);
    const expected = unitCases.filter(({ settles }) => settles.includes(" failed "));
    expect(failed.map(({ id }) => id).sort()).toEqual(expected.map(({ name }) => `${name}.service`).sort());
    expect(asked().at(-1)).toBe("*");
  });

  it("knows when nothing has failed", async () => {
    programs.write("systemctl", "exit 0");
    await expect(showUnitsAndFailed(system(), [])).resolves.toEqual({ asked: [], failed: [] });
  });

  it.each([
    [
      "echo 'Failed to connect to bus: No such file' >&2; exit 1",
      "systemctl failed: Failed to connect to bus: No such file",
    ],
    ["exit 1", "systemctl failed"],
  ])("says in one sentence what was wrong: %s", async (script, sentence) => {
    programs.write("systemctl", script);
    await expect(showUnitsAndFailed(system(), [])).rejects.toThrow(new Error(sentence));
  });

  it("says that systemctl is not there", async () => {
    await expect(showUnitsAndFailed(createSystem({ path: programs.alone }), [])).rejects.toThrow(
      new Error("systemctl is not installed"),
    );
  });
});

describe("stopWasRequested", () => {
  /** journalctl prints the newest first, and at the end what was said at boot. */
  const playJournal = (name: string, last = booted) =>
    programs.write("journalctl", `tac ${recordings}/${name}.messages.txt; echo '${last}'`);
  async function answerFor(name: string): Promise<boolean | null> {
    playSystemctl(`${name}.show.txt`);
    const [unit] = await showUnits(system(), [name]);
    return unit === undefined ? null : await stopWasRequested(journal(), unit);
  }

  const down = unitCases.filter(({ requested }) => requested !== undefined);
  it.each(down)("$name: $requested ($what)", async ({ name, requested }) => {
    playJournal(name);
    expect(await answerFor(name)).toBe(requested);
  });

  it("cannot tell without a journal, without the right to read it, and when it does not answer in JSON", async () => {
    playSystemctl("stopped.show.txt");
    const [unit] = await showUnits(system(), ["stopped"]);
    if (unit === undefined) expect.fail();
    expect(await stopWasRequested(journal(createRun(programs.alone)), unit)).toBeNull();
    programs.write("journalctl", `tac ${recordings}/stopped.messages.txt; exit 1`);
    expect(await stopWasRequested(journal(), unit)).toBeNull();
    programs.write(
      "journalctl",
      "echo 'No journal files were opened due to insufficient permissions.' >&2; exit 1",
    );
    expect(await stopWasRequested(journal(), unit)).toBeNull();
    programs.write("journalctl", `tac ${recordings}/stopped.messages.txt; echo '{"MESSAGE_ID":'`);
    expect(await stopWasRequested(journal(), unit)).toBeNull();
  });

  it("cannot tell when the journal has lost what happened to the unit, though it reaches back to the boot", async () => {
    programs.write("journalctl", `echo '${booted}'`);
    expect(await answerFor("stopped")).toBeNull();
    expect(await answerFor("killed")).toBeNull();
  });

  it("cannot tell whether a unit ever ran when the journal does not reach back to the boot", async () => {
    programs.write("journalctl", "exit 0");
    expect(await answerFor("disabled")).toBeNull();
    programs.write("journalctl", `echo '${booted}'`);
    expect(await answerFor("disabled")).toBe(false);
  });

  it("cannot tell as long as the journal has not got the end that systemd knows", async () => {
    // All but the end itself, as right after the event.
    const all = recorded("killed.messages.txt").trim().split("\n");
    const early = all.filter((line) => !line.includes("d9b373ed55a64feb8242e02dbe79a49c"));
    expect(early.length).toBeLessThan(all.length);
    programs.write("journalctl", `cat <<'END'\n${early.reverse().join("\n")}\nEND\necho '${booted}'`);
    expect(await answerFor("killed")).toBeNull();
  });

  it("does not take the end of an earlier run for the present one", async () => {
    // Two runs, of which the journal has only the first: its end is long before the unit went down.
    playJournal("killed");
    playSystemctl("killed.show.txt");
    const [unit] = await showUnits(system(), ["killed"]);
    if (unit === undefined) expect.fail();
    const later = { ...unit, inactiveEnterMicroseconds: unit.inactiveEnterMicroseconds + 60_000_000 };
    expect(await stopWasRequested(journal(), unit)).toBe(false);
    expect(await stopWasRequested(journal(), later)).toBeNull();
  });

  it("asks only for what systemd itself said, as process 1, in this boot", async () => {
    playSystemctl("stopped.show.txt");
    const [unit] = await showUnits(system(), ["stopped"]);
    programs.write("journalctl", `printf '%s\\n' "$@" > ${programs.folder}/asked`);
    if (unit !== undefined) await stopWasRequested(journal(), unit);
    // Each of the two alternatives: a match before the "+" says nothing about what comes after it.
    const alternatives = asked().join("\n").split("\n+\n");
    expect(alternatives).toHaveLength(2);
    for (const alternative of alternatives)
      expect(alternative.split("\n")).toEqual(
        expect.arrayContaining(["_PID=1", "_BOOT_ID=0f1e2d3c4b5a69788796a5b4c3d2e1f0"]),
      );
    expect(asked()).toContain("UNIT=stopped.service");
  });

  it("needs no journal for a masked unit", async () => {
    programs.write("journalctl", "exit 1");
    expect(await answerFor("masked")).toBe(true);
    expect(await answerFor("masked-failed")).toBe(true);
  });
});
