/** With outputs of a real systemd: see test/host/services.host.ts. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createCollector } from "../../src/collect/collect.ts";
import { type Service, ServiceEntity } from "../../src/types/facts.ts";
import { createPrograms, type Programs } from "./programs.ts";
import { configWith, createTree, type MadeSystem, systemOn, type Tree } from "./tree.ts";

const recordings = join(import.meta.dirname, "../fixtures/systemd");
const booted = '{"MESSAGE_ID":"eed00a68ffd84e31882105fd973abdd1","__MONOTONIC_TIMESTAMP":"1"}';
const self = {
  cycles: 0,
  failuresInARow: 0,
  interrupted: false,
  lastDurationMilliseconds: null,
  lastError: null,
  brokenRuleFiles: 0,
  brokenRuleDetail: null,
  settingsInForce: true,
  settingsFault: null,
  executorAnswers: true,
  executorError: null,
  failedCollectors: [],
  failedCollectorDetail: null,
  writes: true,
  unwrittenSince: null,
  unwrittenDetail: null,
  failingChannels: [],
  failingChannelDetail: null,
};

let programs: Programs;
let tree: Tree;
let made: MadeSystem;
beforeEach(() => {
  programs = createPrograms();
  tree = createTree();
  tree.write("/run/systemd/system/keep", "");
  made = systemOn(tree, { path: programs.path });
});
afterEach(() => {
  programs.dispose();
  tree.dispose();
});

/** systemctl shows these states; journalctl knows what happened to each, and keeps count of its questions. */
function play(...names: string[]): void {
  programs.write("systemctl", names.map((name) => `cat ${recordings}/${name}.show.txt; echo`).join("\n"));
  programs.write(
    "journalctl",
    `for each in "$@"; do case "$each" in UNIT=*) unit=\${each#UNIT=};; esac; done
echo $unit >> ${programs.folder}/looks
tac ${recordings}/\${unit%.service}.messages.txt; echo '${booted}'`,
  );
}
const looks = (): string[] => {
  const file = join(programs.folder, "looks");
  return existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
};

function watch(services: unknown) {
  const collector = createCollector(made.system, configWith({ services }));
  return async () => {
    const { collectors, facts } = await collector.collect(self, new Set(["services"]));
    const [report] = collectors;
    return { report, facts, of: (name: string) => facts.service?.find((each) => each.name === name) };
  };
}

describe("services", () => {
  it("are the configured ones, and every failed one", async () => {
    play("active", "stopped", "not-found", "killed", "exit-code");
    const again = watch([
      { unit: "active", restart: true },
      { unit: "stopped.service" },
      { unit: "not-found" },
    ]);
    const { facts, report, of } = await again();
    for (const each of facts.service ?? []) ServiceEntity.parse(each);
    expect(
      facts.service?.map(({ name, watched, installed, restartable }) => [
        name,
        watched,
        installed,
        restartable,
      ]),
    ).toEqual([
      ["active", true, true, true],
      ["stopped", true, true, false],
      ["not-found", true, false, false],
      ["killed", false, true, false],
      ["exit-code", false, true, false],
    ]);
    expect(of("killed")).toMatchObject({ activeState: "failed", result: "signal", stoppedByOperator: false });
    expect(of("stopped")).toMatchObject({
      activeState: "inactive",
      stoppedByOperator: true,
      restarts24h: null,
    });
    expect(report).toMatchObject({
      name: "services",
      status: "ok",
      detail:
        "1 of 2 watched services active; stopped is inactive; not installed here: not-found; 2 other units failed: killed and exit-code",
    });
  });

  it.each<[string, Partial<Service>]>([
    ["active", { activeState: "active", stoppedByOperator: false, installed: true }],
    ["killed", { activeState: "failed", result: "signal", stoppedByOperator: false }],
    ["start-limit-hit", { activeState: "failed", result: "start-limit-hit", stoppedByOperator: false }],
    ["stopped", { activeState: "inactive", stoppedByOperator: true }],
    ["stopped-disabled", { activeState: "inactive", stoppedByOperator: true, sinceSeconds: null }],
    ["stopped-failing", { activeState: "failed", stoppedByOperator: true }],
    ["stopping", { activeState: "deactivating", stoppedByOperator: true }],
    ["clean-exit", { activeState: "inactive", stoppedByOperator: false }],
    ["masked", { loadState: "masked", unitFileState: "masked", stoppedByOperator: true, installed: true }],
    ["not-found", { loadState: "not-found", installed: false, stoppedByOperator: false }],
    ["starting", { activeState: "activating", stoppedByOperator: false }],
    ["auto-restart", { activeState: "activating", subState: "auto-restart", stoppedByOperator: false }],
    [
      "disabled",
      { activeState: "inactive", unitFileState: "disabled", stoppedByOperator: false, sinceSeconds: null },
    ],
  ])("%s", async (name, expected) => {
    play(name);
    expect((await watch([{ unit: name }])()).of(name)).toMatchObject({ name, watched: true, ...expected });
  });

  it("say since when they are in their state", async () => {
    play("killed");
    const stamp = /^InactiveEnterTimestampMonotonic=(\d+)$/m.exec(
      readFileSync(join(recordings, "killed.show.txt"), "utf8"),
    )?.[1];
    made.uptimeSeconds = Number(stamp) / 1e6 + 90;
    expect((await watch([])()).of("killed")?.sinceSeconds).toBeCloseTo(90, 3);
  });

  it("ask the journal once per outage", async () => {
    play("killed", "stopped", "active");
    const again = watch([{ unit: "killed" }, { unit: "stopped" }, { unit: "active" }]);
    await again();
    await again();
    const { of } = await again();
    // After a stop also what the unit itself logged: it may have asked for it.
    expect(looks().sort()).toEqual(["killed.service", "stopped.service", "stopped.service"]);
    expect(of("stopped")?.stoppedByOperator).toBe(true);
  });

  it("ask again after the next outage", async () => {
    play("killed");
    const again = watch([{ unit: "killed" }]);
    await again();
    programs.write(
      "systemctl",
      `sed 's/^InactiveEnterTimestampMonotonic=.*/InactiveEnterTimestampMonotonic=1/' ${recordings}/killed.show.txt`,
    );
    await again();
    expect(looks()).toHaveLength(2);
  });

  it("ask every time about a unit that systemd forgets: it may have run in between", async () => {
    play("stopped-disabled");
    const again = watch([{ unit: "stopped-disabled" }]);
    await again();
    await again();
    // Two each: how it went down, and what it logged.
    expect(looks()).toHaveLength(4);
  });

  it("ask again as long as the journal cannot tell: not to know is no answer", async () => {
    play("killed");
    programs.write("journalctl", `echo x >> ${programs.folder}/looks; echo '${booted}'`);
    const stamp = /^InactiveEnterTimestampMonotonic=(\d+)$/m.exec(
      readFileSync(join(recordings, "killed.show.txt"), "utf8"),
    )?.[1];
    made.uptimeSeconds = Number(stamp) / 1e6 + 5;
    const again = watch([]);
    expect((await again()).of("killed")?.stoppedByOperator).toBeNull();
    await again();
    expect(looks()).toHaveLength(2);
    made.uptimeSeconds += 60;
    await again();
    await again();
    expect(looks()).toHaveLength(4);
  });

  it("know at once that a unit was masked since", async () => {
    play("killed");
    const again = watch([{ unit: "killed" }]);
    expect((await again()).of("killed")?.stoppedByOperator).toBe(false);
    programs.write("systemctl", `sed 's/^LoadState=.*/LoadState=masked/' ${recordings}/killed.show.txt`);
    expect((await again()).of("killed")?.stoppedByOperator).toBe(true);
  });

  it("are told once, and under the configured name, when that is an alias of a failed unit", async () => {
    programs.write(
      "systemctl",
      "printf 'Id=real.service\\nNames=real.service alias.service\\nLoadState=loaded\\nActiveState=failed\\n'",
    );
    programs.write("journalctl", "exit 1");
    const { facts } = await watch([{ unit: "alias" }])();
    expect(facts.service?.map(({ name, watched }) => [name, watched])).toEqual([["alias", true]]);
  });

  it("are one under two names, by the name that may be restarted, else the real one", async () => {
    programs.write(
      "systemctl",
      "printf 'Id=real.service\\nNames=real.service alias.service\\nLoadState=loaded\\nActiveState=active\\n'",
    );
    const names = async (...services: object[]) =>
      (await watch(services)()).facts.service?.map(({ name, restartable }) => [name, restartable]);
    expect(await names({ unit: "alias" }, { unit: "real" })).toEqual([["real", false]]);
    expect(await names({ unit: "alias", restart: true }, { unit: "real" })).toEqual([["alias", true]]);
    expect(await names({ unit: "alias", restart: true }, { unit: "real", restart: true })).toEqual([
      ["real", true],
    ]);
  });

  it("that systemd does not show cost their own entry, and stand in the list", async () => {
    play("active");
    const { of, report } = await watch([{ unit: "tmpl@", restart: true }, { unit: "active" }])();
    expect(of("active")).toMatchObject({ status: "up", down: false });
    expect(of("tmpl@")).toMatchObject({ status: "unreadable", watched: true });
    expect(report?.detail).toContain("systemd does not show tmpl@");
  });

  it("that failed and are on their way are listed until they run or rest", async () => {
    play("killed");
    const again = watch([]);
    expect((await again()).of("killed")).toMatchObject({ status: "down" });
    const shown = readFileSync(join(recordings, "killed.show.txt"), "utf8");
    const put = (state: string) =>
      programs.write("systemctl", `cat <<'END'\n${shown.replace("=failed", `=${state}`)}\nEND`);
    put("activating");
    expect((await again()).of("killed")).toMatchObject({ activeState: "activating", watched: false });
    put("active");
    expect((await again()).of("killed")).toBeUndefined();
  });

  it("say that the journal did not answer, as a source of its own", async () => {
    play("killed");
    programs.write("journalctl", "echo 'No journal files were opened' >&2; exit 1");
    const collector = createCollector(made.system, configWith({ services: [{ unit: "killed" }] }));
    const { collectors } = await collector.collect(self, new Set(["services"]));
    expect(collectors.map(({ name, status, detail }) => [name, status, detail])).toEqual([
      ["services", "ok", expect.any(String)],
      ["journal", "failed", "journalctl failed: No journal files were opened"],
    ]);
  });

  it("that were seen to ask for their own stop did so, also when nobody is left to be seen", async () => {
    const shown = readFileSync(join(recordings, "stopped.show.txt"), "utf8");
    play("stopped");
    const put = (state: string) =>
      programs.write(
        "systemctl",
        `cat <<'END'\n${shown.replace("=inactive", `=${state}`).trim()}\nControlGroup=/system.slice/stopped.service\nEND`,
      );
    const again = watch([{ unit: "stopped" }]);
    put("deactivating");
    tree.write("/sys/fs/cgroup/system.slice/stopped.service/cgroup.procs", "77\n");
    tree.write("/proc/77/cmdline", "systemctl\0stop\0stopped\0");
    expect((await again()).of("stopped")?.stoppedBy).toBe("itself");
    tree.remove("/proc/77");
    put("inactive");
    expect((await again()).of("stopped")).toMatchObject({ stoppedBy: "itself", downBecause: "own-stop" });
    // Another process of Argus has seen nothing.
    expect((await watch([{ unit: "stopped" }])()).of("stopped")?.stoppedBy).toBe("person");
  });

  it("tell a storm of failures without a storm of questions", async () => {
    const units = Array.from(
      { length: 300 },
      (_, index) =>
        `Id=conn@${index}.service\\nNames=conn@${index}.service\\nLoadState=loaded\\nActiveState=failed\\nInactiveEnterTimestampMonotonic=7\\n\\n`,
    );
    programs.write("systemctl", `printf '${units.join("")}'`);
    programs.write("journalctl", `echo x >> ${programs.folder}/looks; exit 1`);
    const { facts, report } = await watch([])();
    expect(facts.service).toHaveLength(300);
    expect(looks()).toHaveLength(30);
    expect(report?.detail).toBe("no service is watched; 300 other units failed: conn@0, conn@1 and 298 more");
  });
});

describe("without an answer", () => {
  it("they are absent without systemd, and nothing is started", async () => {
    tree.remove("/run/systemd");
    programs.write("systemctl", `touch ${programs.folder}/looks`);
    const { report, facts } = await watch([{ unit: "x" }])();
    expect(report).toMatchObject({ status: "absent", detail: "systemd is not running here" });
    expect("service" in facts).toBe(false);
    expect(looks()).toEqual([]);
  });

  it("they have failed when systemctl complains", async () => {
    programs.write("systemctl", "echo 'Failed to connect to bus: Connection refused' >&2; exit 1");
    const { report, facts } = await watch([])();
    expect(report).toMatchObject({
      status: "failed",
      detail: "systemctl failed: Failed to connect to bus: Connection refused",
    });
    expect("service" in facts).toBe(false);
  });
});
