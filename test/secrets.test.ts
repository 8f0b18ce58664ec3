/** Planted secrets through whole cycles: none may be in any file, request, message, ticket or output. */
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createProcessCollector } from "../src/collect/processes.ts";
import { createDelivery } from "../src/notify/deliver.ts";
import { createSystem } from "../src/system/machine.ts";
import { forgetSecrets } from "../src/system/redact/known.ts";
import { mark } from "../src/system/redact/redact.ts";
import type { Process } from "../src/types/facts.ts";
import { createTree, type Tree } from "./collect/tree.ts";
import { action, fails, type ModelServer, reply, says, startModelServer } from "./escalate/model-server.ts";
import { serviceFact, sessionFact } from "./escalate/samples.ts";
import { startWebServer, type WebServer } from "./notify/web-server.ts";
import { fakeBeads } from "./support/beads.ts";
import { folder, type World, world } from "./support/world.ts";
import { fillIn, madeUpSecret } from "./system/made-up-secrets.ts";
import { linesOf, plantedCommands, remains } from "./system/planted.ts";

const key = "gwK3y.8fPq2/Lm+Zt7&v5Xc1";
const hookSecret = "hook-Signing-Value-77";
const authorization = "Bearer Au7h-Value-For-The-Hook";
const telegramToken = `7712345678:${"Qz"}9-Vd7nHs2RkYw5uJt-Lw4x8bQ`;
const pingPath = "3f1c0c9a-5d2e-4b40-91aa-0c9a5d2e7b41";

const rules = [
  rule("command-line", "process", "{{process.commandLine}}", "{{process.commandLine}} runs", [
    { fact: "process", path: "commandLine", operator: "notEqual", value: "" },
    { fact: "process", path: "arguments", operator: "doesNotContain", value: "no such argument" },
  ]),
  rule("down", "service", "{{service.name}}", "{{service.name}} is {{service.activeState}}", [
    { fact: "service", path: "activeState", operator: "equal", value: "failed" },
  ]),
  rule("stale", "session", "{{session.name}}", "{{session.name}} is idle", [
    { fact: "session", path: "idleSeconds", operator: "greaterThan", value: 10 },
  ]),
];

function rule(name: string, forEach: string, subject: string, summary: string, all: object[]) {
  const actions = [
    { type: "alert", message: `${summary}, says the rule` },
    { type: "log", message: summary },
    ...(forEach === "session"
      ? [{ type: "kill_tmux", target: "{{session.name}}" }]
      : [{ type: "file_bead" }]),
  ];
  return {
    name,
    description: `${name} is of the test`,
    forEach,
    conditions: { all },
    event: { type: forEach, params: { condition: name, severity: "warning", subject, summary, actions } },
  };
}

let tree: Tree;
let model: ModelServer;
let web: WebServer;
beforeEach(async () => {
  tree = createTree();
  model = await startModelServer();
  web = await startWebServer();
});
afterEach(async () => {
  tree.dispose();
  await model.close();
  await web.close();
  forgetSecrets();
});

/** @returns what every process looks like to the collector: a tree of /proc, read as on a machine. */
async function processesOf(lines: readonly (readonly string[])[], its: World): Promise<Process[]> {
  tree.write("/proc/meminfo", "MemTotal: 1000 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n");
  tree.process({ pid: 1, name: "systemd", parentPid: 0, arguments: ["/sbin/init"] });
  for (const [index, args] of lines.entries())
    tree.process({ pid: 100 + index, name: "worker", arguments: args, startTime: 100 + index });
  const system = { ...createSystem({ root: tree.root, path: "/nonexistent" }), clock: its.system.clock };
  const collect = createProcessCollector(system, its.config);
  const { facts } = await collect({ signal: new AbortController().signal } as Parameters<typeof collect>[0]);
  return facts.process ?? [];
}

function filesBelow(dir: string): [string, string][] {
  return readdirSync(dir).flatMap((name): [string, string][] => {
    const path = join(dir, name);
    return statSync(path).isDirectory() ? filesBelow(path) : [[path, readFileSync(path, "utf8")]];
  });
}

function program(dir: string, name: string, script: string): void {
  mkdirSync(join(dir, "bin"), { recursive: true });
  writeFileSync(join(dir, "bin", name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(dir, "bin", name), 0o755);
}

function made(more: Record<string, string> = {}) {
  const dir = folder();
  const beads = fakeBeads(dir);
  program(dir, "relay", `echo "$@" >> ${join(dir, "relay-calls")}`);
  const path = `${join(dir, "bin")}:${beads.path}:/usr/bin:/bin`;
  const its = world({
    dir,
    path,
    rules,
    settings: {
      channels: [
        {
          type: "webhook",
          url: `${web.url}/hook`,
          secretVariable: "ARGUS_SECRET_HOOK",
          authorizationVariable: "ARGUS_SECRET_AUTH",
        },
      ],
      tmuxSockets: ["/tmp/tmux-0/default"],
      tickets: { enabled: true },
    },
    env: {
      ANTHROPIC_API_KEY: key,
      ANTHROPIC_BASE_URL: model.url,
      ARGUS_SECRET_HOOK: hookSecret,
      ARGUS_SECRET_AUTH: authorization,
      TELEGRAM_BOT_TOKEN: telegramToken,
      TELEGRAM_CHAT_ID: "42",
      TELEGRAM_API_URL: web.url,
      ARGUS_PING_URL: `${web.url}/ping/${pingPath}`,
      ...more,
    },
  });
  return { its, beads, dir };
}

/** Everything that left this process or stays on disk. */
async function leftBehind({ its, beads, dir }: ReturnType<typeof made>): Promise<[string, string][]> {
  web.otherwise = { status: 200, body: '{"ok":true,"result":{"message_id":1}}' };
  const system = { ...its.system, clock: { ...its.system.clock, sleep: async () => undefined } };
  const delivery = createDelivery(system, its.stateDir);
  const { channels } = its.config;
  for (let round = 0; round < 3; round += 1)
    await delivery.deliver({ channels, intervalSeconds: 30 }, new AbortController().signal, 5000, new Set());
  return [
    ...filesBelow(its.stateDir),
    ...filesBelow(join(dir, "logs")),
    ...model.received.map(({ body }, index): [string, string] => [
      `request ${index} to the model`,
      JSON.stringify(body),
    ]),
    ...web.asked.map(({ body }, index): [string, string] => [`message ${index}`, body]),
    ...beads
      .calls()
      .map((args, index): [string, string] => [`call ${index} of the tracker`, args.join("\n")]),
    ["issues", JSON.stringify(beads.issues())],
  ];
}

const found = (secrets: readonly string[], places: readonly [string, string][]): string[] =>
  places.flatMap(([where, text]) =>
    secrets.filter((secret) => remains(secret, text)).map((secret) => `${secret} in ${where}`),
  );

describe("secrets of the machine", () => {
  it("in command lines, journal and names are in no file, request, message, ticket or output", async () => {
    const bench = made();
    const { its, dir } = bench;
    const commands = plantedCommands(7);
    expect(commands.length).toBeGreaterThanOrEqual(130);
    const journal = linesOf("journals.txt").map((line) => fillIn(line, 11));
    const session = `deploy-${madeUpSecret("github", 3)}`;
    writeFileSync(join(dir, "journal"), journal.map(({ text }) => text).join("\n"));
    const lineCount = journal.reduce((sum, { text }) => sum + text.split("\n").length, 0);
    expect(lineCount).toBeGreaterThan(60);
    const secrets = [
      ...commands.flatMap((each) => each.secrets),
      ...journal.flatMap((each) => each.secrets),
      session.slice("deploy-".length),
    ].filter((secret) => secret.length >= 6);
    const units = Array.from({ length: Math.ceil(lineCount / 40) }, (_, index) => `unit-${index}`);
    program(
      dir,
      "journalctl",
      `for a in "$@"; do case "$a" in --unit=unit-*) n=\${a#--unit=unit-};; esac; done\n/usr/bin/tail -n +$((n * 40 + 1)) ${join(dir, "journal")} | /usr/bin/head -n 40`,
    );
    model.will((response, { body }) => {
      // A model that repeats what it was told.
      const told = body.messages[0]?.content ?? "";
      const problem = /service:[0-9a-f]{16}/.exec(told)?.[0] ?? "";
      says(
        reply({
          assessment: told.slice(-3000),
          actions: [action({ problem, message: told.slice(0, 1500) })],
        }),
      )(response, {} as never);
    });
    const all = await processesOf(
      commands.map((each) => each.arguments),
      its,
    );
    const shown: string[] = [];
    for (let at = 0; at < units.length || at * 70 < all.length; at += 1) {
      const unit = units[at % units.length] ?? "unit-0";
      const cycle = await its.look(
        {
          process: all.slice(at * 70, at * 70 + 70),
          service: [serviceFact({ name: unit, activeState: "failed" })],
          session: [
            sessionFact({ name: session, socket: "/tmp/tmux-0/default", idleSeconds: 99_999, watched: true }),
          ],
        },
        7300,
      );
      shown.push(JSON.stringify(cycle));
    }
    await its.settle();
    expect(model.received.length).toBeGreaterThanOrEqual(3);
    const places = await leftBehind(bench);
    expect(places.filter(([where]) => where.startsWith("message")).length).toBeGreaterThan(1);
    expect(places.map(([, text]) => text).join("")).toContain("the rule");
    expect(found(secrets, [...places, ["the cycle as it is printed", shown.join("\n")]])).toEqual([]);
  }, 120_000);

  it("in the name of a session keep it from being offered, and the briefing says so", async () => {
    const { its } = made();
    const name = `deploy-${madeUpSecret("github", 3)}`;
    const sessions = [name, "plain"].map((each) =>
      sessionFact({
        name: each,
        socket: "/tmp/tmux-0/default",
        idleSeconds: 99_999,
        watched: true,
        attached: false,
      }),
    );
    const service = [serviceFact({ name: "web", activeState: "failed" })];
    await its.look({ session: sessions, service }, 30);
    const told = model.received.map(({ body }) => body.messages[0]?.content ?? "").join("\n");
    expect(told).toContain("allowed_actions");
    expect(told).not.toContain(name.slice(-20));
    const trail = readFileSync(join(its.stateDir, "trail.jsonl"), "utf8");
    expect(trail).toContain(`deploy-${mark}`);
  });
});

describe("secrets of the settings", () => {
  const secrets = [key, hookSecret, authorization.slice(7), telegramToken, telegramToken.slice(11), pingPath];

  it.each([
    ["in the error's words", (text: string) => text],
    ["percent-encoded", encodeURIComponent],
    ["in base64", (text: string) => Buffer.from(`user:${text}`).toString("base64")],
    ["in JSON inside of JSON", (text: string) => JSON.stringify(JSON.stringify({ text }))],
    ["at the end of 2,000 other characters", (text: string) => `${"x ".repeat(1000)}${text}`],
  ])("that a gateway's 401 repeats %s are nowhere", async (_, written) => {
    const bench = made();
    model.will(
      fails(
        401,
        "authentication_error",
        `invalid: ${secrets.map(written).join(" ")} (authorization: Bearer ${written(key)})`,
      ),
    );
    const cycle = await bench.its.look(
      { service: [serviceFact({ name: "web", activeState: "failed" })] },
      30,
    );
    expect(cycle.consultation).toMatchObject({ outcome: "failed" });
    expect(cycle.consultation?.detail).toContain("check ANTHROPIC_API_KEY");
    expect(model.received).toHaveLength(1);
    const places: [string, string][] = [
      ...(await leftBehind(bench)),
      ["the cycle", JSON.stringify(cycle)],
      ["the view", JSON.stringify(bench.its.parts().escalation.view())],
    ];
    expect(
      found(
        secrets.flatMap((secret) => [secret, written(secret)].filter((each) => each.length < 500)),
        places,
      ),
    ).toEqual([]);
  });
});
