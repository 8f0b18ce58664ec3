/** Shipped rules that somebody changed where they lie: the next installation keeps them in force, as local ones. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { succeed } from "./argus.ts";
import { bootHost, checkout, type ExecResult, type Host } from "./harness.ts";
import { footprint, names, unpack } from "./installer.ts";

let host: Host;
let install: (...args: string[]) => Promise<ExecResult>;
let upgraded: typeof install;
beforeAll(async () => {
  host = await bootHost({ name: "keeprules" });
  install = await unpack(host, "/srv/argus");
  await succeed(host, ["/srv/argus/install.sh", "--yes"]);
});
afterAll(async () => await host?.stop());

const oneLine = (text: string) => text.replace(/\s+/g, " ");
interface RuleEntry {
  readonly name: string;
  readonly description: string;
}
const shipped = (file: string): RuleEntry[] =>
  JSON.parse(readFileSync(join(checkout, "rules", file), "utf8")).rules;
const put = (file: string, rules: readonly object[]) =>
  host.write(`/opt/argus/rules/${file}`, JSON.stringify({ rules }, null, 2));
const kept = (path: string) => JSON.parse(host.read(`/etc/argus/rules.d/${path}`));
const isThere = (path: string) => existsSync(join(host.root, path));

/** One edited, one taken out, one added, a file with a fault, and a note. */
function edit(): void {
  const [first, second, ...others] = shipped("memory.json");
  put("memory.json", [{ ...first, description: "mine" }, ...others]);
  put("added.json", [{ ...second, name: "added-by-me" }]);
  host.write("/opt/argus/rules/torn.json", "{ nothing");
  host.write("/opt/argus/rules/notes.txt", "why I did this\n");
}

describe("rules that were changed in /opt/argus/rules", () => {
  it("are named before anything is done, and come back when the new version does not start", async () => {
    edit();
    const before = await footprint(host);
    const [first, second] = shipped("memory.json");
    const planned = await install("--dry-run", "--yes");
    expect([planned.exitCode, planned.stderr]).toEqual([0, ""]);
    const plan = oneLine(planned.stdout);
    expect(plan).toContain(
      `- keep what was changed in /opt/argus/rules/memory.json as local rules in /etc/argus/rules.d/kept-memory.json: ${first?.name} (edited), ${second?.name} (taken out, so switched off)`,
    );
    expect(plan).toContain("in /etc/argus/rules.d/kept-added.json: added-by-me (added)");
    expect(plan).toContain(
      "- set aside /opt/argus/rules/torn.json as /etc/argus/rules.d/set-aside/torn.json: ",
    );
    expect(await footprint(host)).toEqual(before);
    const fails = await unpack(host, "/srv/fails", { version: "2.0.0", fault: "exits", patienceSeconds: 3 });
    expect((await fails("--yes")).exitCode).toBe(1);
    expect(await succeed(host, ["ls", "/etc/argus/rules.d"])).toBe("");
    expect(host.read("/opt/argus/rules/notes.txt")).toBe("why I did this\n");
  });

  it("stay in force as local rules, and nothing of them is lost", async () => {
    const [first, second] = shipped("memory.json");
    const installed = await install("--yes");
    expect([installed.exitCode, installed.stderr]).toEqual([0, ""]);
    expect(oneLine(installed.stdout)).toContain("- keep what was changed in /opt/argus/rules/memory.json");
    expect(kept("kept-memory.json")).toEqual({
      rules: [
        { ...first, description: "mine" },
        { name: second?.name, enabled: false },
      ],
    });
    expect(kept("kept-added.json").rules).toEqual([{ ...second, name: "added-by-me" }]);
    expect(host.read("/etc/argus/rules.d/set-aside/torn.json")).toBe("{ nothing");
    expect(host.read("/etc/argus/rules.d/set-aside/notes.txt")).toBe("why I did this\n");
    expect(host.read("/opt/argus/rules/memory.json")).toBe(
      readFileSync(join(checkout, "rules/memory.json"), "utf8"),
    );
    const check = JSON.parse(await succeed(host, ["argus", "check", "--json"]));
    expect(check.rules).toMatchObject({ disabled: [second?.name], faults: [] });
    const why = await succeed(host, ["argus", "explain", "--why-not", first?.name ?? ""]);
    expect(why).toContain("rules.d/kept-memory.json");
  });

  it("change nothing the second time", async () => {
    const before = await footprint(host);
    expect((await install("--yes")).stdout).toContain("nothing to change");
    expect(await footprint(host)).toEqual(before);
  });

  it("are set aside where a local rule of the same name is in force", async () => {
    const [first, ...others] = shipped("memory.json");
    put("memory.json", [{ ...first, description: "mine again" }, ...others]);
    upgraded = await unpack(host, "/srv/next", { version: "2.0.0" });
    const done = await upgraded("--yes");
    expect([done.exitCode, done.stderr]).toEqual([0, ""]);
    expect(oneLine(done.stdout)).toContain(
      `cannot be in force: rule ${first?.name}: the local rule of that name in /etc/argus/rules.d/kept-memory.json is in force`,
    );
    expect(kept("set-aside/memory.json")).toEqual([{ ...first, description: "mine again" }]);
    expect(kept("kept-memory.json").rules[0].description).toBe("mine");
  });

  it.each([["rm -r rules"], ["rm -r rules/*"], ["rm rules/services.json rules/argus.json"]])(
    "are put back after %s, and nobody takes that for switching them off",
    async (damage) => {
      const before = await succeed(host, ["ls", "/etc/argus/rules.d"]);
      await succeed(host, ["sh", "-c", `cd /opt/argus && ${damage}`]);
      const again = await upgraded("--yes");
      expect([again.exitCode, again.stderr]).toEqual([0, ""]);
      expect(oneLine(again.stdout)).toMatch(
        /- put back \d+ rules that are missing in .*\/opt\/argus\/rules\/services\.json.*; to switch a rule off, write /,
      );
      expect(await succeed(host, ["ls", "/etc/argus/rules.d"])).toBe(before);
      expect(JSON.parse(await succeed(host, ["argus", "check", "--json"])).rules.disabled).toHaveLength(1);
    },
  );

  it("are never followed as links, nor stopped by an odd name, and keep their modes", async () => {
    const prepare = `mkdir -m 700 /root/sec && echo hush >/root/sec/key.txt && cd /opt/argus/rules &&
      ln -s /root/sec mylink && ln -s /etc/shadow shadow.txt && ln -s /nowhere dangling.json && mkfifo pipe.json &&
      echo mine >private.txt && chmod 600 private.txt && cp sessions.json "$(printf 'odd\\nname.txt')"`;
    await succeed(host, ["sh", "-c", prepare]);
    put("mine.json", [{ name: "load-high", enabled: false }]);
    const again = await upgraded("--yes");
    expect([again.exitCode, again.stderr]).toEqual([0, ""]);
    const said = oneLine(again.stdout);
    for (const path of ["mylink", "shadow.txt", "dangling.json"])
      expect(said).toContain(`- leave out /opt/argus/rules/${path}: it is a link to `);
    expect(said).toContain("- leave out /opt/argus/rules/pipe.json: it is neither a file nor a folder");
    expect(kept("kept-mine.json")).toEqual({ rules: [{ name: "load-high", enabled: false }] });
    const aside = (await succeed(host, ["ls", "/etc/argus/rules.d/set-aside"])).split("\n");
    expect(aside).toEqual(expect.arrayContaining(["odd_nname.txt", "private.txt"]));
    expect(aside.filter((name) => /shadow|key/.test(name))).toEqual([]);
    const mode = await succeed(host, ["stat", "-c", "%a", "/etc/argus/rules.d/set-aside/private.txt"]);
    expect(mode.trim()).toBe("600");
    await succeed(host, ["rm", "/etc/argus/rules.d/kept-mine.json"]);
  });

  it("that are all switched off are called well by nobody", async () => {
    const files = (await succeed(host, ["sh", "-c", "ls /opt/argus/rules/*.json"])).trim().split("\n");
    const own = new Set(
      (await succeed(host, ["sh", "-c", "ls /etc/argus/rules.d/*.json"]))
        .trim()
        .split("\n")
        .flatMap((path) => JSON.parse(host.read(path)).rules.map(({ name }: RuleEntry) => name)),
    );
    const all: RuleEntry[] = files.flatMap((path) => JSON.parse(host.read(path)).rules);
    await succeed(host, ["sh", "-c", "mkdir /srv/away && mv /etc/argus/rules.d/*.json /srv/away"]);
    expect(own.size).toBeGreaterThan(0);
    const off = all.map(({ name }) => ({ name, enabled: false }));
    host.write("/etc/argus/rules.d/off.json", JSON.stringify({ rules: off }));
    const said = new RegExp(`no rule is in force \\(${all.length} rules switched off\\)`);
    const check = await host.exec(["argus", "check"]);
    expect([check.exitCode, oneLine(check.stdout)]).toEqual([1, expect.stringMatching(said)]);
    expect(check.stdout).not.toContain("All is well");
    const doctor = await host.exec(["argus", "doctor"]);
    expect([doctor.exitCode, oneLine(doctor.stdout)]).toEqual([1, expect.stringMatching(said)]);
    const status = await succeed(host, ["argus", "status"]);
    expect(oneLine(status)).toMatch(said);
    expect(status).not.toContain("All well");
    await succeed(host, [
      "sh",
      "-c",
      "rm /etc/argus/rules.d/off.json && mv /srv/away/*.json /etc/argus/rules.d",
    ]);
  });

  it("stay when Argus goes, and so does the prompt", async () => {
    put("late.json", [{ ...shipped("memory.json")[0], name: "late" }]);
    host.write("/opt/argus/prompt.md", "Be brief.\n");
    const removed = await install("--uninstall", "--yes");
    expect([removed.exitCode, removed.stderr]).toEqual([0, ""]);
    const plan = oneLine(removed.stdout);
    expect(plan).toContain(
      "- keep what was changed in /opt/argus/rules/late.json as local rules in /etc/argus/rules.d/kept-late.json: late (added)",
    );
    expect(plan).toContain("- keep your prompt.md as /etc/argus/prompt.md");
    expect(kept("kept-late.json").rules).toHaveLength(1);
    expect(host.read("/etc/argus/prompt.md")).toBe("Be brief.\n");
    expect(isThere("/opt/argus")).toBe(false);
    expect((await names(host)).filter((path) => path.startsWith("/opt"))).toEqual([]);
  });
});
