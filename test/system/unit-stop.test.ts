/** Who stopped a unit, from what systemd and the journal say of it and of what it depends on. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { noBus } from "../../src/system/bus/bus.ts";
import { createClock } from "../../src/system/clock.ts";
import { createFiles } from "../../src/system/files.ts";
import { createRun } from "../../src/system/run.ts";
import { showEach, showUnits } from "../../src/system/systemd.ts";
import { whoStopped } from "../../src/system/unit-stop.ts";
import { createPrograms, type Programs } from "../collect/programs.ts";

let programs: Programs;
beforeEach(() => {
  programs = createPrograms();
  mkdirSync(join(programs.folder, "units"));
  mkdirSync(join(programs.folder, "log"));
  programs.write(
    "systemctl",
    `cd ${programs.folder}/units; for each in "$@"; do
case $each in *@.service) echo "Failed to get properties: Unit name $each is neither a valid invocation ID nor unit name." >&2; exit 1;; esac
[ -f "$each" ] && { cat "$each"; echo; }; done; exit 0`,
  );
  // What systemd said of a unit, and what it logged itself.
  programs.write(
    "journalctl",
    `case "$*" in *_SYSTEMD_UNIT=*) kind=own;; *) kind=systemd;; esac
for each in "$@"; do case "$each" in UNIT=*) unit=\${each#UNIT=};; esac; done
cat ${programs.folder}/log/$unit.$kind 2>/dev/null; exit 0`,
  );
});
afterEach(() => programs.dispose());

const boot = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";
const second = 1_000_000;
const messages = {
  stopping: "de5b426a63be47a7b6ac3eaac82e2f6f",
  ended: "7ad2d189f7e94e70a38c781354912448",
  failed: "d9b373ed55a64feb8242e02dbe79a49c",
  started: "39f53479d3a045ac8e11786248231fbf",
};
const put = (path: string, text: string) => {
  mkdirSync(dirname(join(programs.folder, path)), { recursive: true });
  writeFileSync(join(programs.folder, path), text);
};
const unit = (id: string, properties: Record<string, string | number>) =>
  put(
    `units/${id}`,
    Object.entries({ Id: id, Names: id, LoadState: "loaded", ActiveState: "inactive", ...properties })
      .map(([name, value]) => `${name}=${value}\n`)
      .join(""),
  );
const entry = (message: string, at: number, more: object = {}) =>
  `${JSON.stringify({ MESSAGE_ID: message, __MONOTONIC_TIMESTAMP: String(at), ...more })}\n`;
const stopJob = { JOB_TYPE: "stop" };
const log = (id: string, ...newestFirst: string[]) => put(`log/${id}.systemd`, newestFirst.join(""));
const logged = (id: string, message: string, at: number, more: object = {}) =>
  put(
    `log/${id}.own`,
    `${JSON.stringify({ MESSAGE: message, _PID: "77", __MONOTONIC_TIMESTAMP: String(at), ...more })}\n`,
  );

async function ask(id: string, root = programs.folder) {
  const system = {
    bus: noBus,
    run: createRun(programs.path),
    files: createFiles(root),
    clock: createClock(boot),
  };
  const [state] = await showUnits(system, [id]);
  return await whoStopped(system, state ?? expect.fail());
}

const at = 100 * second;
/** It was stopped by a job. */
function stopped(id: string, properties: Record<string, string | number> = {}, when = at): void {
  unit(id, { InactiveEnterTimestampMonotonic: when + 10, ActiveExitTimestampMonotonic: when, ...properties });
  log(
    id,
    entry(messages.ended, when + 8),
    entry(messages.stopping, when, stopJob),
    entry(messages.started, 5),
  );
}

describe("who stopped it", () => {
  it("is a person, when nothing else is known", async () => {
    stopped("app.service");
    expect(await ask("app.service")).toMatchObject({ by: "person", unit: null });
  });

  it("is nobody, when there was no stop", async () => {
    unit("app.service", { InactiveEnterTimestampMonotonic: at });
    log("app.service", entry(messages.failed, at), entry(messages.started, 5));
    expect(await ask("app.service")).toMatchObject({ by: "nobody", ran: true });
  });

  it.each(["BindsTo", "Requires", "PartOf", "Requisite", "StopPropagatedFrom"])(
    "is a unit of its %s that crashed just before, also when that is back",
    async (relation) => {
      stopped("app.service", { [relation]: "db.service" });
      const crash = {
        ActiveExitTimestampMonotonic: at - second,
        InactiveEnterTimestampMonotonic: at + 5 * second,
      };
      unit("db.service", { ...crash, ActiveState: "active", ActiveEnterTimestampMonotonic: at + 6 * second });
      log(
        "db.service",
        entry(messages.started, at + 6 * second),
        entry(messages.failed, at - second),
        entry(messages.started, 4),
      );
      expect(await ask("app.service")).toMatchObject({
        by: "dependency",
        unit: "db.service",
        byConflict: false,
      });
    },
  );

  it("is a unit that it needs, also when that has gone down once more since and only the journal knows of before", async () => {
    stopped("app.service", { BindsTo: "db.service" });
    const again = at + 60 * second;
    unit("db.service", {
      ActiveState: "failed",
      ActiveExitTimestampMonotonic: again,
      InactiveEnterTimestampMonotonic: again,
    });
    const crashes = (first: number) =>
      log(
        "db.service",
        entry(messages.failed, again),
        entry(messages.started, at + 6 * second),
        // Started at once, and failed.
        entry(messages.failed, at + second / 2),
        entry(messages.failed, first),
        entry(messages.started, 4),
      );
    crashes(at - second);
    expect(await ask("app.service")).toMatchObject({ by: "dependency", unit: "db.service" });
    crashes(at - 3 * second);
    expect(await ask("app.service")).toMatchObject({ by: "person" });
  });

  it("is a person, when that stopped the database", async () => {
    stopped("app.service", { Requires: "db.service" });
    stopped("db.service", {}, at - 1000);
    expect(await ask("app.service")).toMatchObject({ by: "person" });
  });

  it("is a person, when the database went down earlier or later", async () => {
    stopped("app.service", { Requires: "db.service" });
    for (const when of [at - 3 * second, at + second]) {
      unit("db.service", { ActiveExitTimestampMonotonic: when, InactiveEnterTimestampMonotonic: when });
      log("db.service", entry(messages.failed, when), entry(messages.started, 4));
      expect(await ask("app.service")).toMatchObject({ by: "person" });
    }
  });

  it.each(["Conflicts", "ConflictedBy"])("is a unit of its %s that started just before", async (relation) => {
    stopped("app.service", { [relation]: "other.service shutdown.target" });
    unit("other.service", { ActiveState: "active", InactiveExitTimestampMonotonic: at - 1000 });
    expect(await ask("app.service")).toMatchObject({
      by: "dependency",
      unit: "other.service",
      byConflict: true,
    });
  });

  it("is the unit itself, when its command, or a script of it, asks for the stop", async () => {
    stopped("app.service", { FragmentPath: "/etc/app.service" });
    put("etc/app.service", "[Service]\nExecStart=/bin/sh -c 'sleep 9; systemctl --no-block stop app'\n");
    expect(await ask("app.service")).toMatchObject({ by: "itself" });
    put("etc/app.service", "[Service]\nExecStart=/usr/local/bin/run --fast\n");
    expect(await ask("app.service")).toMatchObject({ by: "person" });
    put("usr/local/bin/run", '#!/bin/sh\nsystemctl stop "$UNIT"\n');
    expect(await ask("app.service")).toMatchObject({ by: "itself" });
    put("usr/local/bin/run", 'spawn("systemctl", ["--no-block", "stop", "app"]);\n');
    expect(await ask("app.service")).toMatchObject({ by: "itself" });
    put("usr/local/bin/run", "#!/bin/sh\nsystemctl stop other\n");
    expect(await ask("app.service")).toMatchObject({ by: "person" });
  });

  it("is the unit itself, when one of its processes is seen at it", async () => {
    stopped("app.service", { ControlGroup: "/system.slice/app.service" });
    put("sys/fs/cgroup/system.slice/app.service/cgroup.procs", "77\n");
    put("proc/77/cmdline", "systemctl\0stop\0app.service\0");
    expect(await ask("app.service")).toMatchObject({ by: "itself" });
  });

  it("is the unit itself, when its own log says so, or systemd names its process", async () => {
    stopped("app.service");
    logged("app.service", "running systemctl stop app.service now", at - second);
    expect(await ask("app.service")).toMatchObject({ by: "itself" });
    logged("app.service", "running systemctl stop app.service now", at - 60 * second);
    expect(await ask("app.service")).toMatchObject({ by: "person" });
    const client = "Stop requested from client PID 77 ('systemctl') (unit app.service)...";
    logged("app.service", client, at, { _PID: "1" });
    expect(await ask("app.service")).toMatchObject({ by: "itself" });
    logged("app.service", client.replace("unit app", "unit session-1"), at, { _PID: "1" });
    expect(await ask("app.service")).toMatchObject({ by: "person" });
  });

  it("is not known, when the journal does not answer, and that is said", async () => {
    stopped("app.service");
    programs.write("journalctl", "echo 'No journal files were opened' >&2; exit 1");
    expect(await ask("app.service")).toMatchObject({
      by: null,
      failed: "journalctl failed: No journal files were opened",
    });
  });
});

describe("a name that systemd refuses", () => {
  it("costs that name alone, whether Argus knows the reason or only systemctl", async () => {
    const system = { bus: noBus, run: createRun(programs.path) };
    unit("app.service", {});
    const [first, second] = await showEach(system, ["tmpl@", "app"]);
    expect(first).toEqual({
      name: "tmpl@.service",
      refused:
        "systemd cannot show tmpl@.service: it is a template, of which only instances run; name an instance, such as tmpl@NAME",
    });
    expect(second).toMatchObject({ id: "app.service" });
    programs.write(
      "systemctl",
      `case "$*" in *strange*) echo 'Failed to get properties: Unit name strange.service is not valid.' >&2; exit 1;; esac; cat ${programs.folder}/units/app.service`,
    );
    expect(await showEach(system, ["strange", "app"])).toMatchObject([
      { name: "strange.service", refused: "systemctl said nothing about strange.service" },
      { id: "app.service" },
    ]);
    await expect(showUnits(system, ["strange", "app"])).rejects.toThrow(
      "systemctl said nothing about strange",
    );
  });
});
