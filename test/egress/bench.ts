/**
 * A machine on which every name and every text is hostile, a model and a coding agent that answer in kind, and every
 * channel ending here: Argus runs its real cycles over it, and all that leaves is kept.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { createErrands } from "../../src/cli/errands.ts";
import { createParts, openBook } from "../../src/cli/parts.ts";
import { answer as answerPerson } from "../../src/cli/talk.ts";
import { loadConfig } from "../../src/config.ts";
import type { Parts } from "../../src/cycle.ts";
import { runGuarded } from "../../src/daemon.ts";
import { listen } from "../../src/notify/talk/listen.ts";
import { createSelfAlert } from "../../src/self-alert.ts";
import { createLog } from "../../src/system/log.ts";
import { createSystem } from "../../src/system/machine.ts";
import { stringify } from "../../src/system/printable.ts";
import type { Proposal } from "../../src/types/action.ts";
import type { Facts } from "../../src/types/snapshot.ts";
import { action, message, reply } from "../escalate/model-server.ts";
import { processFact, serviceFact, sessionFact } from "../escalate/samples.ts";
import { fakeBeads } from "../support/beads.ts";
import { call, invocations, usages } from "./commands.ts";
import { type Left, mark, worst } from "./hostile.ts";
import { recorder } from "./programs.ts";

const token = "123456:ABC-DEF_ghi";
const kinds = ["process", "service", "session", "endpoint", "disk"] as const;
const named = { process: "name", service: "name", session: "name", endpoint: "name", disk: "mount" } as const;
const told = {
  process: "{{process.name}} of {{process.user}} in {{process.container}} runs {{process.commandLine}}",
  service: "{{service.name}} is {{service.result}}",
  session: "{{session.name}} on {{session.socket}}",
  endpoint: "{{endpoint.name}} says {{endpoint.error}}",
  disk: "{{disk.mount}} on {{disk.device}}",
} as const;

const ruleText = "a rule\nof the operator\u001b[2J\u202e";

function rulesFor(): object {
  const rules = kinds.map((kind) => ({
    name: `odd-${kind}`,
    description: ruleText,
    forEach: kind,
    conditions: { all: [{ fact: kind, path: named[kind], operator: "notEqual", value: "" }] },
    event: {
      type: kind,
      params: {
        condition: "odd",
        severity: "warning",
        subject: `{{${kind}.${named[kind]}}}`,
        summary: told[kind],
        advice: `${told[kind]}\nand look`,
        actions: [
          { type: "alert", message: `${told[kind]}\n${ruleText}` },
          { type: "log", message: told[kind] },
          { type: "file_bead", message: told[kind] },
          ...(kind === "process" ? [{ type: "kill_pid", target: "{{process.pid}}" }] : []),
          ...(kind === "service" ? [{ type: "restart_service", target: "{{service.name}}" }] : []),
          ...(kind === "session" ? [{ type: "kill_tmux", target: "{{session.name}}" }] : []),
        ],
      },
    },
  }));
  return { rules };
}

function factsFrom(text: () => string): Facts {
  return {
    process: [
      processFact({
        pid: 4_000_001,
        name: text(),
        executable: text(),
        executablePath: text(),
        commandLine: text(),
        arguments: [text(), text()],
        user: text(),
        unit: text(),
        container: text(),
        notKillableBecause: text(),
      }),
    ],
    // Of the second one the journal is read.
    service: [
      serviceFact({ name: text(), result: text(), subState: text() }),
      serviceFact({ result: text() }),
    ],
    session: [sessionFact({ name: text(), socket: text() })],
    endpoint: [
      {
        name: text(),
        url: "http://127.0.0.1:9/",
        ok: false,
        status: null,
        latencyMilliseconds: null,
        error: text(),
        service: null,
        watched: true,
      } as never,
    ],
    disk: [{ mount: `/${text()}`, device: text(), type: text(), usedPercent: 99 } as never],
  };
}

/** What the server says next: whatever is asked for works, or fails in hostile words. */
type Mood = "works" | "fails";

export interface Bench {
  readonly dir: string;
  readonly left: Left[];
  /** The whole way: cycles, channels, tickets, people in Telegram, every command, and then the files. */
  run(texts: { readonly next: () => string; readonly typed: readonly string[] }): Promise<void>;
  close(): Promise<void>;
}

export async function openBench(): Promise<Bench> {
  const dir = mkdtempSync(join(tmpdir(), "argus-egress-"));
  const left: Left[] = [];
  let text: () => string = () => mark;
  let mood: Mood = "works";
  const updates: object[] = [];

  const server = createServer(async (request, response) => {
    let body = "";
    for await (const part of request) body += part;
    const path = request.url ?? "";
    const answer = (status: number, value: string) => {
      response.writeHead(status, { "content-type": "application/json", "request-id": "req_1" });
      response.end(value);
    };
    left.push({
      where: `HTTP ${path.replace(token, "TOKEN")} ${JSON.stringify(request.headers)}`,
      text: request.url ?? "",
      form: "lines",
    });
    if (body !== "") left.push({ where: `HTTP ${path.replace(token, "TOKEN")}`, text: body, form: "JSON" });
    if (path.endsWith("/sendMessage")) {
      const sent = JSON.parse(body);
      left.push({ where: "a message in Telegram", text: sent.text, form: "lines" });
      for (const button of (sent.reply_markup?.inline_keyboard ?? []).flat())
        left.push({ where: "a button in Telegram", text: button.text, form: "lines" });
    }
    if (path.endsWith("/getUpdates"))
      return answer(200, JSON.stringify({ ok: true, result: updates.splice(0, 1) }));
    if (path === "/v1/messages") {
      const asked = JSON.parse(body);
      left.push({ where: "the model's document", text: asked.messages[0].content, form: "lines" });
      return answer(
        mood === "works" ? 200 : 400,
        mood === "works"
          ? modelSays(asked.messages[0].content, text)
          : JSON.stringify({ type: "error", error: { type: "e", message: text() } }),
      );
    }
    if (path === "/hook" || path === "/api/v2/alerts")
      for (const [name, each] of peopleRead(JSON.parse(body)))
        left.push({ where: `${name} at ${path}`, text: each, form: name === "text" ? "lines" : "one line" });
    if (mood === "works") return answer(200, JSON.stringify({ ok: true, result: true }));
    answer(
      path.includes("/bot") ? 400 : 422,
      JSON.stringify({ ok: false, description: text(), error: text() }),
    );
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const programs = join(dir, "programs");
  mkdirSync(programs);
  const command = recorder(programs, "page");
  const relay = recorder(programs, "relay");
  recorder(programs, "journalctl");
  const beads = fakeBeads(dir);
  const folders = { state: join(dir, "state"), logs: join(dir, "logs"), rules: join(dir, "rules") };
  for (const folder of Object.values(folders)) mkdirSync(folder, { mode: 0o700 });
  writeFileSync(join(folders.rules, "own.json"), JSON.stringify(rulesFor()));
  writeFileSync(
    join(dir, "argus.json"),
    JSON.stringify({
      channels: [
        { type: "webhook", url: `${url}/hook`, secretVariable: "ARGUS_SECRET_HOOK" },
        { type: "alertmanager", url },
        { type: "command", command: [command.path] },
      ],
      telegram: { users: [7], may: ["approve", "silence", "pause"] },
      handOff: { command: ["agent"], user: "nobody", directory: dir, afterMinutes: 0 },
      tickets: { tool: "bd" },
      maintenance: [
        {
          name: worst.slice(0, 128).toWellFormed(),
          from: "00:00",
          to: "23:59",
          timeZone: "UTC",
          subjects: ["nobody"],
        },
      ],
      model: { mayPropose: ["kill_pid", "kill_tmux", "alert", "log", "file_bead"] },
    }),
  );
  const env: Record<string, string> = {
    PATH: `${programs}:${beads.path}:/usr/bin:/bin`,
    HOME: dir,
    USER: "root",
    LANG: "C.UTF-8",
    FORCE_COLOR: "1",
    ARGUS_CONFIG: join(dir, "argus.json"),
    ARGUS_STATE_DIR: folders.state,
    ARGUS_LOG_DIR: folders.logs,
    ARGUS_RULES_DIR: folders.rules,
    ARGUS_LOCAL_RULES_DIR: folders.rules,
    ARGUS_BOOT_GRACE_SECONDS: "0",
    ARGUS_SECRET_HOOK: "a key of the test",
    ARGUS_RELAY_ENABLED: "1",
    ARGUS_RELAY_TO: "athena",
    ARGUS_RELAY_BIN: relay.path,
    ARGUS_RELAY_FALLBACK_FILE: join(folders.state, "relay.jsonl"),
    ARGUS_SUMMARY_AT: "00:00",
    ARGUS_PING_URL: `${url}/ping`,
    ARGUS_DASHBOARD_URL: "http://dashboard.example/",
    TELEGRAM_BOT_TOKEN: token,
    TELEGRAM_CHAT_ID: "-100",
    TELEGRAM_API_URL: url,
    ANTHROPIC_API_KEY: "sk-test",
    ANTHROPIC_BASE_URL: url,
  };
  const searchPath = process.env.PATH;

  async function cycles(): Promise<string[]> {
    const real = createSystem({ path: env["PATH"] ?? "" });
    const { sleep } = real.clock;
    // Pauses between two messages are not what this is about.
    const system = {
      ...real,
      clock: { ...real.clock, sleep: (ms: number, signal?: AbortSignal) => sleep(Math.min(ms, 5), signal) },
    };
    const config = loadConfig({ system, env, workingDir: dir, programDir: resolve(".") });
    const end = new AbortController();
    const make = () => createParts(system, config, openBook(system, config));
    let made = make();
    let facts = factsFrom(text);
    const execute: Parts["executor"]["execute"] = (request, signal) => {
      for (const proposal of request.proposals as Proposal[])
        if (proposal.incident !== undefined)
          left.push({ where: "an incident for the coding agent", text: proposal.incident, form: "lines" });
      return made.executor.execute(request, signal);
    };
    const partsNow = (): Parts => ({
      ...made,
      executor: { ...made.executor, execute },
      collector: {
        collect: async (self) => ({
          takenAt: new Date().toISOString(),
          collectors: [{ name: "processes", status: "failed", duration_ms: 1, detail: text() }],
          facts: {
            host: { name: `land${text()}`, bootId: "b", uptimeSeconds: 9999, cores: 2 },
            self,
            ...facts,
          },
        }),
      },
    });
    let parts = partsNow();
    const log = createLog(system.files, config.logDir, (line) =>
      left.push({ where: "the daemon's output", text: line, form: "JSON" }),
    );
    const errands = createErrands(() => parts, log, end.signal, 20_000);
    const selfAlert = createSelfAlert(log, () => void errands.send());
    const cycle = async (more: Partial<Parts> = {}) => {
      parts.notes.push(text());
      const all = { ...parts, ...more };
      await runGuarded({ parts: () => all, log, selfAlert, signal: end.signal }, "wake", [text()]);
      await errands.run();
    };
    const bdFails = () => {
      writeFileSync(join(beads.path, "says"), text());
      writeFileSync(join(beads.path, "bd"), `#!/bin/sh\ncat "${beads.path}/says" >&2\nexit 1\n`);
    };
    writeFileSync(join(programs, "journalctl-given", "prints"), `${text()}\n${text()}\n`);
    // A summary is due.
    writeFileSync(join(folders.state, "summary.json"), JSON.stringify({ version: 1, servedMs: 0 }));
    // Of an Argus that let more through, and of a person.
    const outbox = join(folders.state, "outbox");
    mkdirSync(outbox, { recursive: true });
    writeFileSync(
      join(outbox, "20200101T000000000Z-0001.json"),
      JSON.stringify({
        version: 1,
        id: "20200101T000000000Z-0001",
        createdAt: new Date().toISOString(),
        severity: "critical",
        text: `landmass: CRITICAL ${text().replace(/[\n\r]/g, " ")}`,
        problems: [],
        host: "landmass",
      }),
    );
    await cycle();
    const keys = [...parts.registry.problems().keys()];
    agentLeaves(folders.state, keys, system.clock.now(), text);
    // What lies there is read by the next Argus.
    made = make();
    parts = partsNow();
    await cycle();
    bdFails();
    mood = "fails";
    command.fails(text());
    relay.fails(text());
    facts = factsFrom(text);
    await cycle();
    mood = "works";
    for (const program of [command, relay]) program.fails(null);
    beads.install();
    const broken = {
      ...made.trail,
      append: () => {
        throw new Error(text());
      },
    };
    for (let number = 0; number < 3; number += 1) await cycle({ trail: broken });
    facts = { process: [], service: [], session: [], endpoint: [], disk: [] };
    await cycle();
    facts = factsFrom(text);
    bdFails();
    await cycle();
    await selfAlert.settled();
    olderArgus(folders.state, text);
    questionWaits(folders.state, keys[0] ?? "", system.clock.now(), text);
    await people(parts, keys, end);
    end.abort();
    return keys;
  }

  /** What somebody in Telegram asks, and is answered. */
  async function people(parts: Parts, keys: readonly string[], end: AbortController): Promise<void> {
    const context = {
      system: parts.system,
      config: () => parts.config,
      env,
      argv: [],
      workingDir: dir,
      programDir: resolve("."),
      command: "argus",
    };
    const talk = { context: context as never, parts: () => parts, ring: () => undefined };
    const words = [
      "/status",
      "/problems",
      "/explain",
      ...keys.map((key) => `/explain ${key}`),
      "/silence",
      `/silence ${keys[1]} 2h`,
      "/silence",
      `/unsilence ${text().slice(0, 9)}`,
      `/deny ${text()}`,
      `/explain ${text()}`,
      text(),
    ];
    let answered = 0;
    const stop = new AbortController();
    const listening = listen({
      system: parts.system,
      stateDir: parts.config.stateDir,
      wanted: () => ({
        account: { token, chatId: "-100", apiUrl: url },
        answering: { users: [7], may: ["approve", "silence", "pause"] },
      }),
      answer: async (said, by) => {
        const said_ = await answerPerson(talk, said, { ...by, name: text() });
        answered += 1;
        return said_;
      },
      tell: (sentence) => left.push({ where: "what is told of Telegram", text: sentence, form: "bytes" }),
      onBug: (error) => {
        throw error;
      },
      signal: stop.signal,
    });
    words.forEach((said, index) => {
      updates.push({
        update_id: 100 + index,
        message: {
          message_id: index,
          date: Math.floor(Date.now() / 1000),
          chat: { id: 7, type: "private" },
          from: { id: 7, username: text() },
          text: said,
        },
      });
    });
    for (let waited = 0; answered < words.length && waited < 200; waited += 1)
      await new Promise((wait) => setTimeout(wait, 20));
    if (answered < words.length) throw new Error(`${answered} of ${words.length} words were answered`);
    stop.abort();
    await listening;
    void end;
  }

  async function commands(keys: readonly string[], typed: readonly string[]): Promise<void> {
    const calm = { ...env, ARGUS_DRY_RUN: "1", SUDO_USER: typed[0] ?? mark };
    process.env.PATH = env["PATH"];
    const all = await usages(async (path) => (await call([...path, "--help"], calm, dir)).stdout);
    const argvs = [
      ["silence", "add", "--for", "1h", "--subject", typed[0] ?? mark, "--reason", typed[0] ?? mark],
      ["pause", "--reason", typed[0] ?? mark],
      ...keys.map((key) => ["ack", key, "--note", typed[0] ?? mark]),
      ["status"],
      ["problems", "--open"],
      ...keys.flatMap((key) => [
        ["explain", key],
        ["explain", key, "--json"],
        ["problems", "--key", key],
      ]),
      ...kinds.flatMap((kind) => [
        ["explain", "--rule", `odd-${kind}`],
        ["explain", "--why-not", `odd-${kind}`, "--json"],
      ]),
      ["approve", "k7m2"],
      ["problems", "--all"],
      typed.slice(0, 1),
      ...invocations(all, typed),
    ];
    for (const [index, argv] of argvs.entries()) {
      // Every second one in colours; where none is wanted, not one escape sequence may leave.
      const isPainted = index % 2 === 0;
      const { stdout, stderr } = await call(argv, { ...calm, NO_COLOR: isPainted ? "" : "1" }, dir);
      const isJson = argv.includes("--json") && !argv.includes("--help") && stderr === "";
      const where = `argus ${argv.map((each) => JSON.stringify(each).slice(0, 60)).join(" ")}`;
      left.push({ where, text: stdout, form: isJson ? "JSON" : "lines", isPainted });
      left.push({ where: `${where}, standard error`, text: stderr, form: "lines" });
    }
  }

  /** Whatever lies there: a file that is new is looked at as well. */
  function filesBelow(folder: string): void {
    for (const name of readdirSync(folder)) {
      const path = join(folder, name);
      if (statSync(path).isDirectory()) filesBelow(path);
      else if (!/^(?:result\.json|old)$/.test(name)) {
        const form =
          name.endsWith(".jsonl") || name.includes(".log")
            ? "JSON lines"
            : name.endsWith(".json")
              ? "JSON"
              : "lines";
        left.push({ where: `the file ${relative(dir, path)}`, text: readFileSync(path, "utf8"), form });
      }
    }
  }

  return {
    dir,
    left,
    async run({ next, typed }) {
      text = next;
      const keys = await cycles();
      await commands(keys, typed);
      for (const program of [command, relay])
        for (const given of program.given())
          left.push({
            where: `given to ${program.path}`,
            text: given,
            form: given.startsWith("{") ? "JSON" : "lines",
          });
      for (const argument of beads.calls().flat())
        left.push({ where: "an argument of bd", text: argument, form: "lines" });
      filesBelow(folders.state);
      filesBelow(folders.logs);
    },
    async close() {
      process.env.PATH = searchPath;
      const closed = new Promise<void>((done) => server.close(() => done()));
      server.closeAllConnections();
      await closed;
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Texts that are shown to people as they are, each with the name of its field: not the data of a summary. */
function peopleRead(body: unknown, field = ""): [field: string, text: string][] {
  if (typeof body === "string") return [[field, body]];
  if (typeof body !== "object" || body === null) return [];
  return Object.entries(body).flatMap(([name, value]) => (name === "daily" ? [] : peopleRead(value, name)));
}

function modelSays(document: string, text: () => string): string {
  const offered = JSON.parse(document.slice(document.indexOf("{"))).allowed_actions as Record<
    string,
    { target: unknown; problems: string[] }[]
  >;
  const actions = Object.entries(offered).flatMap(([type, rows]) =>
    rows.slice(0, 4).map(({ target, problems: [problem = ""] }) => {
      const isWord = ["alert", "log", "file_bead"].includes(type);
      return action({
        type,
        target,
        problem,
        message: isWord ? text() : null,
        reason: text(),
        confidence: isWord ? 0.9 : 0.1,
      });
    }),
  );
  const unknown = action({
    type: text().slice(0, 60),
    target: text().slice(0, 200),
    problem: text().slice(0, 60),
    reason: text(),
  });
  return message(
    reply({
      assessment: text(),
      observations: [text(), text()],
      actions: [...actions.slice(0, 18), unknown],
    }),
  );
}

/** Runs of a coding agent: one that answers as it was asked to, one in prose, one that failed. */
function agentLeaves(stateDir: string, keys: readonly string[], at: object, text: () => string): void {
  const outputs = [
    {
      exitCode: 0,
      output: reply({
        assessment: text(),
        observations: [text()],
        actions: [action({ type: "alert", problem: keys[0], message: text(), reason: text() })],
      }),
      errors: "",
    },
    { exitCode: 0, output: text(), errors: "" },
    { exitCode: 3, output: text(), errors: text() },
  ];
  const runs = outputs.map((output, index) => {
    const id = `2026112800000${index}-000${index}`;
    const folder = join(stateDir, "hand-offs", id);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "result.json"), JSON.stringify({ timedOut: false, seconds: 3, ...output }));
    return { id, problem: keys[index % keys.length], at, seconds: 60 };
  });
  writeFileSync(join(stateDir, "hand-offs.json"), JSON.stringify({ version: 1, runs }));
}

/** A cycle and a problem as an Argus that let more through wrote them down. */
function olderArgus(stateDir: string, text: () => string): void {
  const append = (name: string, change: (line: Record<string, unknown>) => object) => {
    const path = join(stateDir, name);
    const newest = JSON.parse(readFileSync(path, "utf8").trim().split("\n").at(-1) ?? "");
    writeFileSync(path, `${stringify(change(newest))}\n`, { flag: "a" });
  };
  const inAll = (value: unknown, names: RegExp): unknown => {
    if (typeof value !== "object" || value === null) return value;
    if (Array.isArray(value)) return value.map((each) => inAll(each, names));
    return Object.fromEntries(
      Object.entries(value).map(([name, each]) => [
        name,
        typeof each === "string" && names.test(name) ? text() : inAll(each, names),
      ]),
    );
  };
  append("trail.jsonl", (line) => {
    const { cycle, ...rest } = line as { cycle: { id: string } };
    const words = /^(?:summary|advice|why|detail|message|subject|condition|assessment|reason|what)$/;
    const { version, kind, ...parts } = inAll(rest, words) as Record<string, unknown>;
    return {
      version,
      kind,
      cycle: { ...cycle, id: `${cycle.id}-old`, host: `land${text()}` },
      ...parts,
      notes: [text()],
    };
  });
  append("problems.jsonl", (line) => ({
    ...line,
    key: "disk:0123456789abcdef",
    type: "disk",
    event: "opened",
    description: text(),
    subject: text(),
    condition: text(),
    reason: text(),
    host: `land${text()}`,
  }));
}

/** A question of an Argus before this one. */
function questionWaits(stateDir: string, problem: string, askedAt: object, text: () => string): void {
  const proposal = {
    type: "kill_tmux",
    target: worst.slice(0, 200).toWellFormed(),
    source: "llm:m",
    problem,
    problemType: "session",
    severity: "warning",
    subject: text().slice(0, 1000),
    reason: text().slice(0, 2000),
  };
  writeFileSync(
    join(stateDir, "approvals.json"),
    stringify({ version: 1, questions: [{ id: "k7m2", proposal, askedAt, seconds: 3600 }] }),
  );
}
