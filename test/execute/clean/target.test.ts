/** A cleaning of one file system leaves the others alone. The disks are real ones, in memory. */
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { afterEach, describe, expect, test } from "vitest";
import { createDiskCollector } from "../../../src/collect/disks.ts";
import { Settings } from "../../../src/types/settings.ts";
import { bench, only, proposal } from "../support.ts";
import { home, type Machine, makeMachine } from "./machine.ts";

const mounted: string[] = [];
afterEach(() => {
  for (const at of mounted.splice(0).reverse()) execFileSync("umount", ["-l", at]);
});
function mount(machine: Machine, path: string, ...args: string[]): string {
  mkdirSync(machine.at(path), { recursive: true });
  const how = args.length > 0 ? args : ["-t", "tmpfs", "-o", "size=4m", "none"];
  execFileSync("mount", [...how, machine.at(path)]);
  mounted.push(machine.at(path));
  return machine.at(path);
}
const cleaner = (machine: Machine) =>
  bench({ system: machine.system, policy: { homes: [home], logDir: "/var/lib/argus/logs", keep: [] } });
const big = "x".repeat(100_000);

describe.runIf(process.getuid?.() === 0)("clean_disk with a target", () => {
  test("cleans only what lies on that file system", async () => {
    const machine = makeMachine();
    const data = mount(machine, "/home");
    machine.file(`${home}/.cache/pip/wheel`, big);
    machine.file("/tmp/old", big);
    machine.file("/var/log/a.log.1.gz", big);
    const record = only(await cleaner(machine).run([proposal("clean_disk", { target: data })]));
    expect(record).toMatchObject({ target: data, result: "success", verified: true });
    expect(machine.exists(`${home}/.cache/pip/wheel`)).toBe(false);
    expect([machine.exists("/tmp/old"), machine.exists("/var/log/a.log.1.gz")]).toEqual([true, true]);
    expect(record.values).toMatchObject({ largest: [{ path: `${home}/.cache/pip/wheel` }] });
    expect(record.values["manifest"]).toMatch(/\/cleanings\/000001-.*\.jsonl$/);
  });

  test("finds it behind a bind mount as well", async () => {
    const machine = makeMachine();
    const data = mount(machine, "/data");
    machine.folder("/data/tmp");
    mount(machine, "/tmp", "--bind", machine.at("/data/tmp"));
    machine.file("/tmp/old", big);
    machine.file("/var/tmp/old", big);
    const record = only(await cleaner(machine).run([proposal("clean_disk", { target: data })]));
    expect(record).toMatchObject({ result: "success" });
    expect([machine.exists("/tmp/old"), machine.exists("/var/tmp/old")]).toEqual([false, true]);
  });

  test("is refused where nothing of the safelist lies, and where nothing is mounted", async () => {
    const machine = makeMachine();
    const data = mount(machine, "/data");
    machine.file("/tmp/old", big);
    const argus = cleaner(machine);
    expect(only(await argus.run([proposal("clean_disk", { target: data })]))).toMatchObject({
      result: "skipped",
      refusal: "not_allowlisted",
      detail: `nothing on ${data} is in the safelist of the cleaning`,
    });
    expect(only(await argus.run([proposal("clean_disk", { target: machine.at("/srv") })]))).toMatchObject({
      refusal: "target_gone",
      detail: `nothing is mounted at ${machine.at("/srv")}`,
    });
    expect(machine.exists("/tmp/old")).toBe(true);
  });

  test("of two full disks each gets its own, and a third has to wait", async () => {
    const machine = makeMachine();
    const disks = ["/tmp", "/var/tmp", "/var/log"].map((path) => mount(machine, path));
    for (const path of ["/tmp/old", "/var/tmp/old", "/var/log/x.log.1.gz"]) machine.file(path, big);
    const records = await cleaner(machine).run(disks.map((target) => proposal("clean_disk", { target })));
    expect(records.map(({ result, refusal }) => refusal ?? result)).toEqual([
      "success",
      "success",
      "budget_exhausted",
    ]);
    expect(machine.exists("/var/log/x.log.1.gz")).toBe(true);
  });

  test("what may be cleaned is known of each disk beforehand", async () => {
    const machine = makeMachine();
    const [data, homes] = [mount(machine, "/data"), mount(machine, "/home")];
    machine.folder(`${home}/.cache/pip`);
    machine.link("/tmp-link", machine.at("/data"));
    // Seen as the machine sees it: paths from its root.
    const text = (from: string) => from.replaceAll(` ${machine.root}/`, " /");
    const { files } = machine.system;
    const system = {
      ...machine.system,
      files: {
        ...files,
        tryRead: (path: string) =>
          path === "/proc/1/mountinfo" ? text(files.read("/proc/self/mountinfo")) : files.tryRead(path),
      },
    };
    const settings = Settings.parse({ homes: [home] });
    const collect = createDiskCollector(system, { settings, logDir: "/var/lib/argus/logs" });
    const { facts } = await collect({ signal: new AbortController().signal } as Parameters<
      typeof collect
    >[0]);
    const roots = new Map(facts.disk?.map(({ mount: at, cleanableRoots }) => [at, cleanableRoots]));
    expect([data, homes].length).toBe(2);
    expect(roots.get("/data")).toEqual([]);
    expect(roots.get("/home")).toEqual([`${home}/.cache/pip`]);
    expect(roots.get("/")).toEqual(["/tmp", "/var/tmp", "/var/log"]);
  });
});

test("by hand all disks are cleaned, when none is named", async () => {
  const machine = makeMachine();
  machine.file("/tmp/old", big);
  const record = only(await cleaner(machine).run([proposal("clean_disk", { source: "operator" })]));
  expect(record).toMatchObject({ target: null, result: "success" });
});
