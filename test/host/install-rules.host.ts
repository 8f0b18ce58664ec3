/** Shipped rules that somebody changed where they lie: the next installation keeps them in force, as local ones. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { succeed } from "./argus.ts";
import { bootHost, checkout, type ExecResult, type Host } from "./harness.ts";
import { footprint, names, unpack } from "./installer.ts";

let host: Host;
let install: (...args: string[]) => Promise<ExecResult>;
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
    const upgrade = await unpack(host, "/srv/next", { version: "2.0.0" });
    const upgraded = await upgrade("--yes");
    expect([upgraded.exitCode, upgraded.stderr]).toEqual([0, ""]);
    expect(oneLine(upgraded.stdout)).toContain(
      `cannot be in force: rule ${first?.name}: the local rule of that name in /etc/argus/rules.d/kept-memory.json is in force`,
    );
    expect(kept("set-aside/memory.json")).toEqual([{ ...first, description: "mine again" }]);
    expect(kept("kept-memory.json").rules[0].description).toBe("mine");
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
