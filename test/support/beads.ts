/** Programs that behave as `bd` and `br` do, in a folder of their own, with their issues in a file beside them. */
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface BeadsIssue {
  id: string;
  title: string;
  description: string;
  status: string;
  labels: string[];
  priority: number;
  issue_type: string;
  close_reason?: string;
}

/** What one command does from now on; `works` ends it. */
export type Mood =
  | "works"
  | "fails"
  | "hangs"
  | "does it and hangs"
  | "does it silently"
  | { readonly prints: string };

export interface Beads {
  /** The folder with the program, for the search path. */
  readonly path: string;
  issues(): BeadsIssue[];
  /** As people would. */
  change(change: (issues: BeadsIssue[]) => void): void;
  /** Argument vectors, oldest first. */
  calls(command?: string): string[][];
  is(command: "list" | "create" | "update" | "close" | "*", mood: Mood): void;
  remove(): void;
  install(): void;
}

export type Shape = "array" | "envelope" | "counted";

/** @param shape how it prints lists: `envelope` is of newer bd, `counted` of newer br. */
export function fakeBeads(dir: string, tool: "bd" | "br" = "bd", shape: Shape = "array"): Beads {
  const path = join(dir, `beads-${tool}`);
  mkdirSync(path, { recursive: true });
  const file = (name: string) => join(path, name);
  const program = file(tool);
  const issues = (): BeadsIssue[] => JSON.parse(readFileSync(file("issues.json"), "utf8"));
  const moods: Record<string, Mood> = {};
  const install = () => {
    writeFileSync(
      program,
      `#!${process.execPath}\n(${String(behave)})(${JSON.stringify({ tool, shape })})\n`,
    );
    chmodSync(program, 0o755);
  };
  if (!existsSync(file("issues.json"))) writeFileSync(file("issues.json"), "[]");
  writeFileSync(file("calls.jsonl"), "");
  writeFileSync(file("moods.json"), "{}");
  install();
  return {
    path,
    issues,
    change(change) {
      const all = issues();
      change(all);
      writeFileSync(file("issues.json"), JSON.stringify(all));
    },
    calls: (command) =>
      readFileSync(file("calls.jsonl"), "utf8")
        .split("\n")
        .flatMap((line) => (line === "" ? [] : [JSON.parse(line) as string[]]))
        .filter(([first]) => command === undefined || first === command),
    is(command, mood) {
      moods[command] = mood;
      writeFileSync(file("moods.json"), JSON.stringify(moods));
    },
    remove: () => rmSync(program),
    install,
  };
}

/** Written into the program as text: it can see nothing of this file. */
function behave({ tool, shape }: { tool: string; shape: string }): void {
  const fs = require("node:fs") as typeof import("node:fs");
  const { join } = require("node:path") as typeof import("node:path");
  const here = __dirname;
  const args = process.argv.slice(2);
  fs.appendFileSync(join(here, "calls.jsonl"), `${JSON.stringify(args)}\n`);
  const moods = JSON.parse(fs.readFileSync(join(here, "moods.json"), "utf8"));
  const issues = JSON.parse(fs.readFileSync(join(here, "issues.json"), "utf8"));
  const save = () => fs.writeFileSync(join(here, "issues.json"), JSON.stringify(issues));
  const [command = "", ...rest] = args;
  process.stdout.on("error", () => process.exit(1));
  const mood = moods[command] ?? moods["*"] ?? "works";
  const fail = (message: string): never => {
    const error = { error: { code: "E", message, hint: "none", retryable: false } };
    process.stderr.write(tool === "br" ? `${JSON.stringify(error, null, 2)}\n` : `Error: ${message}\n`);
    process.exit(tool === "br" ? 3 : 1);
  };
  const hang = () => setTimeout(() => {}, 600_000);
  if (mood === "fails") fail("database is locked");
  if (mood === "hangs") return void hang();
  if (typeof mood === "object") return void process.stdout.write(mood.prints);

  const flags: Record<string, string> = {};
  const words: string[] = [];
  const long: Record<string, string> =
    tool === "br"
      ? {
          "-d": "description",
          "-l": "labels",
          "-p": "priority",
          "-t": "type",
          "-r": "reason",
          "-s": "status",
        }
      : { "-n": "limit", "-r": "reason" };
  const known = ["title", "description", "labels", "label", "priority", "type", "reason", "status", "limit"];
  while (rest.length > 0) {
    const word = rest.shift() ?? "";
    if (word === "--json") continue;
    const [name = "", value] = word.startsWith("--") ? word.slice(2).split(/=(.*)/s, 2) : [];
    const flag = long[word] ?? name;
    if (!word.startsWith("-")) words.push(word);
    else if (!known.includes(flag)) fail(`unknown flag: ${word}`);
    else flags[flag] = value ?? rest.shift() ?? fail(`${word} needs a value`);
  }
  const wrap = (data: unknown[]): unknown => {
    if (shape === "envelope") return { schema_version: 1, data };
    return shape === "counted" ? { issues: data, total: data.length, limit: 0, offset: 0 } : data;
  };
  const one = (id: string) => {
    const issue = issues.find((each: { id: string }) => each.id === id);
    return issue ?? fail(`issue ${id} not found`);
  };
  const print = (value: unknown) => process.stdout.write(`${JSON.stringify(value)}\n`);

  if (command === "list") {
    const label = flags["label"] ?? flags["labels"] ?? "";
    const status = flags["status"];
    const found = issues.filter(
      (each: { labels: string[]; status: string }) => each.labels.includes(label) && each.status === status,
    );
    print(wrap(found));
  } else if (command === "create") {
    const issue = {
      id: `${tool}-${issues.length + 1}`,
      title: flags["title"] ?? words[0] ?? fail("title required"),
      description: flags["description"] ?? "",
      status: "open",
      labels: (flags["labels"] ?? "").split(","),
      priority: Number(flags["priority"]),
      issue_type: flags["type"],
    };
    issues.push(issue);
    save();
    if (mood === "does it silently") return;
    if (mood === "does it and hangs") return void hang();
    print(shape === "envelope" ? { schema_version: 1, data: issue } : issue);
  } else if (command === "update") {
    const issue = one(words[0] ?? "");
    issue.description = flags["description"] ?? issue.description;
    save();
    print([issue]);
  } else if (command === "close") {
    const issue = one(words[0] ?? "");
    Object.assign(issue, { status: "closed", close_reason: flags["reason"] });
    save();
    print([issue]);
  } else fail(`unknown command: ${command}`);
}
