/** The unit files say the same wherever they repeat each other; the manual names every command. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { argus } from "./e2e/argus.ts";

const unit = (path: string) => readFileSync(path, "utf8").split("\n");
const directives = (lines: readonly string[]) => lines.filter((line) => line !== "" && !line.startsWith("#"));
/** From the line that says so to the end of the section. */
function sandbox(path: string): string[] {
  const lines = unit(path);
  const from = lines.findIndex((line) => line.startsWith("# --- sandbox"));
  const rest = lines.slice(from + 1);
  const end = rest.findIndex((line) => line.startsWith("["));
  return from < 0 ? [] : directives(end < 0 ? rest : rest.slice(0, end));
}
const named = (path: string, ...names: string[]) =>
  directives(unit(path)).filter((line) => names.includes(line.split("=", 1)[0] ?? ""));

describe("units that run as the user argus", () => {
  const others = ["systemd/argus-once.service", "systemd/argus-daily.service"];

  it.each(others)("%s has the sandbox, the user and the limits of argus.service", (path) => {
    expect(sandbox("argus.service").length).toBeGreaterThan(20);
    expect(sandbox(path)).toEqual(sandbox("argus.service"));
    const shared = [
      ...["User", "Group", "SupplementaryGroups", "StateDirectory", "StateDirectoryMode", "LogsDirectory"],
      ...["LogsDirectoryMode", "LoadCredential", "SetCredential", "Environment", "MemoryMax", "TasksMax"],
    ];
    expect(named(path, ...shared)).toEqual(named("argus.service", ...shared));
  });
});

describe("units that repair", () => {
  const repairing = ["argus.service", "systemd/argus-once.service", "systemd/argus-executor.service"];

  it.each(repairing)("%s is held back by no quota of processor time, and has more than its share", (path) => {
    expect(named(path, "CPUQuota", "CPUWeight")).toEqual(["CPUWeight=200"]);
  });
});

describe("all units", () => {
  const services = [
    "argus.service",
    ...readdirSync("systemd")
      .filter((name) => name.endsWith(".service"))
      .map((name) => `systemd/${name}`),
  ];

  it.each(services)("%s starts the installed program with the same options of Node", (path) => {
    const start = named(path, "ExecStart")[0] ?? "";
    const before = (line: string) => line.slice(0, line.indexOf("/dist/main.js"));
    expect(start).toContain(" /opt/argus/dist/main.js ");
    expect(before(start)).toBe(before(named("argus.service", "ExecStart")[0] ?? ""));
  });

  it.each(services)("%s hands down the boot id that systemd goes by", (path) => {
    expect(named(path, "Environment").join(" ")).toMatch(/[= ]ARGUS_BOOT_ID=%b(?: |$)/);
  });

  it("say which capabilities the executor has, and doctor asks for the same", () => {
    const [given = ""] = named("systemd/argus-executor.service", "CapabilityBoundingSet");
    const wanted = readFileSync("src/collect/installed-abilities.ts", "utf8").matchAll(/name: "(CAP_\w+)"/g);
    expect(given.split("=")[1]?.split(" ").sort()).toEqual([...wanted].map(([, name]) => name).sort());
  });
});

it("the manual names every command, and no other", () => {
  const help = argus().run("--help").stdout;
  const commands = [...help.matchAll(/^ {2}([a-z]+)(?: |$)/gm)]
    .map(([, name]) => name)
    .filter((name) => name !== "help");
  const manual = readFileSync("docs/argus.8", "utf8");
  const section = manual.slice(manual.indexOf(".SH COMMANDS"), manual.indexOf(".SH FILES"));
  const rows = [...section.matchAll(/^\.TP\n\.B\S* ([^\n]*)/gm)].map(([, row = ""]) => row);
  // The macro's arguments; of `"silence add "` the first word is the command.
  const words = rows.flatMap((row) => row.replace(/ \[.*| \\-.*/, "").match(/"[^"]*"|\S+/g) ?? []);
  const described = new Set(words.flatMap((word) => /^"?([a-z]+)/.exec(word)?.[1] ?? []));
  expect(commands.length).toBeGreaterThan(8);
  expect([...described].sort()).toEqual(commands.sort());
});
