/** `argus notify --test`, with a daemon and without one, against real programs and servers. */
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { refusal, startBotApi, token } from "../notify/bot-api.ts";
import { startWebServer } from "../notify/web-server.ts";
import { type Argus, afterThis, argus, ended, until } from "./argus.ts";

const fromHere = "no daemon runs: sent from this process\n";

async function said(watch: Argus, ...args: string[]): Promise<[number | null, string]> {
  const child = watch.start("notify", "--test", ...args);
  return [await ended(child), child.output()];
}

/** A program for a channel: it appends what it reads to a file, beside the number of the process that started it. */
function programOf(watch: Argus, name: string, does = "exit 0"): string {
  const path = join(watch.dir, name);
  writeFileSync(path, `#!/bin/sh\n{ echo "by $PPID"; cat; } >> "$0.heard"\n${does}\n`);
  chmodSync(path, 0o755);
  return path;
}
const heardBy = (path: string): string =>
  existsSync(`${path}.heard`) ? readFileSync(`${path}.heard`, "utf8") : "";

async function daemonOf(watch: Argus, ...args: string[]): Promise<ReturnType<Argus["start"]>> {
  watch.env["ARGUS_INTERVAL"] = "3600";
  const daemon = watch.start("run", ...args);
  await until("the first cycle", () => daemon.output().includes('"msg":"cycle"'), 30_000);
  return daemon;
}

const waitingRequests = (watch: Argus): string[] =>
  existsSync(watch.state("test-messages")) ? readdirSync(watch.state("test-messages")) : [];

const holds = {
  rules: [
    {
      name: "holds",
      description: "Holds on every machine",
      conditions: { all: [{ fact: "host", path: "cores", operator: "greaterThan", value: 0 }] },
      event: {
        type: "check",
        params: { condition: "holds", severity: "warning", subject: "holds", summary: "it holds" },
      },
    },
  ],
};

test("without a daemon a test message goes from here, says so, and says what came back", async () => {
  const api = await startBotApi();
  afterThis(() => void api.close());
  const watch = argus({ TELEGRAM_BOT_TOKEN: token, TELEGRAM_CHAT_ID: "-100", TELEGRAM_API_URL: api.url });
  expect(await said(watch)).toEqual([0, `${fromHere}telegram: sent: chat -100 has it\n`]);
  expect(api.told).toMatchObject([{ chat: "-100", text: expect.stringMatching(/^\S+: a test of Argus\. /) }]);
  const [status, json] = await said(watch, "--json");
  expect([status, JSON.parse(json)]).toEqual([
    0,
    [
      {
        channel: "telegram",
        type: "telegram",
        to: "Telegram chat -100",
        ok: true,
        detail: "chat -100 has it",
        by: "this process",
      },
    ],
  ]);
  api.replies = [refusal(401, "Unauthorized")];
  const [failed, output] = await said(watch);
  expect(failed).toBe(1);
  expect(output).toMatch(/^telegram: not sent: .*TELEGRAM_BOT_TOKEN/m);
});

test("without a channel, or without --test, it says what is missing", () => {
  const watch = argus();
  expect(watch.run("notify", "--test")).toMatchObject({
    status: 2,
    stderr:
      "argus: no channel is configured; set TELEGRAM_BOT_TOKEN and TELEGRAM_CHAT_ID in argus.env, or name channels in argus.json\n",
  });
  expect(watch.run("notify")).toMatchObject({ status: 2 });
  watch.settings({ channels: [{ type: "command", name: "sms", command: ["true"] }] });
  expect(watch.run("notify", "--test", "--channel", "smx")).toMatchObject({
    status: 2,
    stderr: 'argus: "smx" is no channel here; there are: sms\n',
  });
});

test("while a daemon runs, it is the daemon that sends: with its own settings, environment and process", async () => {
  const watch = argus();
  const good = programOf(watch, "good");
  const bad = programOf(watch, "bad", "echo the modem is off >&2; exit 3");
  const only = programOf(watch, "only", '[ "$ONLY_OF_THE_DAEMON" = yes ]');
  const channels = [
    { type: "command", name: "good", command: [good] },
    { type: "command", name: "bad", command: [bad] },
    { type: "command", name: "only", command: [only] },
  ];
  watch.settings({ channels });
  watch.env["ONLY_OF_THE_DAEMON"] = "yes";
  const daemon = await daemonOf(watch);
  // Whoever asks has another environment than the daemon, as root's shell has.
  watch.env["ONLY_OF_THE_DAEMON"] = "no";

  const [status, output] = await said(watch);
  expect(output.split("\n").sort()).toEqual(
    [
      "",
      "argus: bad took no message; alerts wait in the outbox meanwhile",
      `bad: not sent: ${bad} failed with exit status 3: the modem is off`,
      `good: sent: ${good} took it (exit status 0)`,
      `only: sent: ${only} took it (exit status 0)`,
      `the daemon (pid ${daemon.pid}) was asked, which sends the alerts`,
    ].sort(),
  );
  expect(status).toBe(1);
  expect(heardBy(good)).toMatch(
    new RegExp(`^by ${daemon.pid}\\n\\S+: a test of Argus\\. Alerts will arrive like this\\.\\n$`),
  );

  const [one, json] = await said(watch, "--channel", "good", "--json");
  expect([one, JSON.parse(json)]).toEqual([
    0,
    [
      {
        channel: "good",
        type: "command",
        to: `the program ${good}`,
        ok: true,
        detail: `${good} took it (exit status 0)`,
        by: "daemon",
      },
    ],
  ]);
  expect(waitingRequests(watch)).toEqual([]);
  // No alert came of it, and no channel is thought of otherwise than before.
  const { outbox } = JSON.parse(watch.run("status", "--json").stdout);
  expect(outbox).toMatchObject({ waiting: 0 });
  for (const channel of outbox.channels) expect(channel).toMatchObject({ error: null, lastSentAt: null });
  expect(await said(watch, "--channel", "smx")).toEqual([
    2,
    'argus: "smx" is no channel here; there are: good, bad, only\n',
  ]);
}, 60_000);

test("channels that the daemon does not know yet are named, with the fix, until it has read its settings again", async () => {
  const watch = argus();
  const [old, young] = [programOf(watch, "old"), programOf(watch, "young")];
  const oldOne = { type: "command", name: "old", command: [old] };
  watch.settings({ channels: [oldOne] });
  const daemon = await daemonOf(watch);
  const elsewhere = { ...oldOne, command: [young] };
  watch.settings({ channels: [elsewhere, { type: "command", name: "young", command: [young] }] });
  const [status, output] = await said(watch);
  expect(status).toBe(1);
  expect(output).toContain(
    `old: sent: ${old} took it (exit status 0); it went to the program ${old}, and by the settings of now it is the program ${young}: systemctl reload argus`,
  );
  expect(output).toMatch(
    /^young: not sent: the daemon \(pid \d+\) does not know it yet: systemctl reload argus/m,
  );
  expect(heardBy(young)).toBe("");
  daemon.kill("SIGHUP");
  const [now, after] = await said(watch);
  expect(after).not.toContain("does not know it");
  expect(now).toBe(0);
}, 60_000);

test("a channel that rests after a failure is tried all the same, and its alerts wait as before", async () => {
  const web = await startWebServer();
  afterThis(() => void web.close());
  web.otherwise = { status: 503, body: "later", headers: { "retry-after": "3600" } };
  const watch = argus({ ARGUS_SECRET_HOOK: "a key of the test" });
  watch.settings({ channels: [{ type: "webhook", url: web.url, secretVariable: "ARGUS_SECRET_HOOK" }] });
  watch.rule("holds.json", holds);
  await daemonOf(watch);
  const state = () => JSON.parse(readFileSync(watch.state("delivery.json"), "utf8")).channels.webhook;
  await until(
    "the webhook is given a rest",
    () => existsSync(watch.state("delivery.json")) && state()?.blocked,
  );
  web.otherwise = { status: 200 };
  expect((await said(watch))[0]).toBe(0);
  const events = web.asked.map(({ body }) => JSON.parse(body).event);
  expect(events.at(-1)).toBe("argus.test");
  expect(events.filter((event) => event === "argus.test")).toHaveLength(1);
  expect(state()).toMatchObject({ blocked: { seconds: 3600 }, lastSentAt: null });
  expect(JSON.parse(watch.run("status", "--json").stdout).outbox).toMatchObject({ waiting: 1 });
}, 60_000);

test("a channel at work is waited for, and never does two things at once", async () => {
  const watch = argus();
  const slow = programOf(
    watch,
    "slow",
    '[ ! -e "$0.lock" ] || echo twice >> "$0.heard"; touch "$0.lock"; sleep 2; rm "$0.lock"',
  );
  watch.settings({ channels: [{ type: "command", name: "slow", command: [slow] }] });
  watch.rule("holds.json", holds);
  watch.env["ARGUS_INTERVAL"] = "3600";
  const daemon = watch.start("run");
  await until("the alert is on its way", () => heardBy(slow).includes("it holds"), 30_000);
  const [status] = await said(watch);
  expect(status).toBe(0);
  expect(heardBy(slow)).toMatch(/it holds[\s\S]*a test of Argus/);
  expect(heardBy(slow)).not.toContain("twice");
  daemon.kill("SIGTERM");
  expect(await ended(daemon)).toBe(0);
}, 60_000);

test("what nobody waits for any more is not sent, and does not stay; what is no request is set aside", async () => {
  const watch = argus();
  const program = programOf(watch, "program");
  watch.settings({ channels: [{ type: "command", name: "sms", command: [program] }] });
  watch.once();
  const folder = watch.state("test-messages");
  mkdirSync(folder, { mode: 0o700 });
  const late = { version: 1, channel: null, until: "2026-01-01T00:00:00.000Z", asked: null, answers: [] };
  writeFileSync(join(folder, "late.json"), JSON.stringify(late), { mode: 0o600 });
  writeFileSync(join(folder, "odd.json"), "{}", { mode: 0o600 });
  const daemon = await daemonOf(watch);
  await until("both are noted", () =>
    ["whoever asked for it had stopped waiting", "odd.json is no request"].every((each) =>
      daemon.output().includes(each),
    ),
  );
  expect(readdirSync(folder)).toEqual(["odd.json.corrupt-1"]);
  expect(heardBy(program)).toBe("");
}, 60_000);

test("a daemon that does not answer is not waited for longer, and sends nothing when it can again", async () => {
  const watch = argus();
  const program = programOf(watch, "program");
  watch.settings({ channels: [{ type: "command", name: "sms", command: [program] }] });
  const daemon = await daemonOf(watch);
  daemon.kill("SIGSTOP");
  const [status, output] = await said(watch);
  expect([status, output.split("\n").slice(1)]).toEqual([
    1,
    [`argus: the daemon (pid ${daemon.pid}) did not answer within 30 s; argus status says what it is at`, ""],
  ]);
  expect(waitingRequests(watch)).toEqual([]);
  daemon.kill("SIGCONT");
  await until("the cycle that the signal asked for", () => daemon.output().includes("SIGUSR1"), 30_000);
  expect((await said(watch))[0]).toBe(0);
  expect(heardBy(program).match(/a test of Argus/g)).toHaveLength(1);
}, 90_000);

test("a daemon that sends nothing by itself sends no test either, and says why", async () => {
  const watch = argus();
  const program = programOf(watch, "program");
  watch.settings({ channels: [{ type: "command", name: "sms", command: [program] }] });
  await daemonOf(watch, "--dry-run");
  const [status, output] = await said(watch);
  expect([status, heardBy(program)]).toEqual([1, ""]);
  expect(output).toContain(
    "sms: not sent: this Argus runs with --dry-run or ARGUS_DRY_RUN, and sends nothing",
  );
}, 60_000);

test("root starts no program of another user's Argus: it is asked as that user, or tried by that user", async ({
  skip,
}) => {
  if (process.getuid?.() !== 0) skip("only root can be another user");
  const watch = argus();
  const web = await startWebServer();
  afterThis(() => void web.close());
  const program = programOf(watch, "program");
  watch.env["ARGUS_SECRET_HOOK"] = "a key of the test";
  watch.env["ARGUS_INTERVAL"] = "3600";
  watch.settings({
    channels: [
      { type: "command", name: "sms", command: [program] },
      { type: "webhook", url: web.url, secretVariable: "ARGUS_SECRET_HOOK" },
    ],
  });
  watch.once();
  chmodSync(watch.dir, 0o755);
  writeFileSync(`${program}.heard`, "", { mode: 0o666 });
  chmodSync(`${program}.heard`, 0o666);
  for (const name of ["state", "logs"]) spawnSync("chown", ["-R", "12345:12345", join(watch.dir, name)]);
  const [status, output] = await said(watch);
  expect(status).toBe(1);
  expect(output).toContain(
    "sms: not sent: no daemon runs, and alerts are sent by another user than this one: sudo -u '#12345' env ",
  );
  expect(output).toContain("webhook: sent: ");
  expect(heardBy(program)).toBe("");

  const as = ["--reuid=12345", "--regid=12345", "--clear-groups", process.execPath, resolve("dist/main.js")];
  const daemon = spawn("setpriv", [...as, "run"], { env: watch.env, stdio: "ignore" });
  afterThis(() => void daemon.kill("SIGKILL"));
  await until("their daemon runs", () => watch.run("status").stdout.includes(`pid ${daemon.pid}`), 30_000);
  const [refused, sentence] = await said(watch);
  expect(refused).toBe(1);
  expect(sentence).toMatch(
    /^argus: the Argus of \S+ takes requests from its own user alone: sudo -u '#12345' env .* notify --test\n$/,
  );
  expect(heardBy(program)).toBe("");
  const theirs = spawn("setpriv", [...as, "notify", "--test"], { env: watch.env, stdio: "ignore" });
  expect(await ended(theirs)).toBe(0);
  expect(heardBy(program)).toContain(`by ${daemon.pid}\n`);
}, 60_000);

test("doctor names a channel's program that the sandbox takes its rights from, and one that is not there", () => {
  const watch = argus();
  const right = programOf(watch, "postdrop");
  chmodSync(right, 0o2755);
  const script = (name: string, text: string): string => {
    writeFileSync(join(watch.dir, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    return join(watch.dir, name);
  };
  const calling = script("calling", `grep -v x | ${right} -t`);
  const talking = script("talking", `# not ${right}, which needs a group\ncurl https://sms.example`);
  const channels = Object.entries({
    itself: [right],
    calling: [calling],
    shell: ["sh", "-c", `cat > /dev/null; exec ${right}`],
    talking: [talking],
    absent: ["no-such-program"],
  }).map(([name, command]) => ({ type: "command", name, command }));
  watch.settings({ channels });
  const checks = () => {
    const all: { name: string; state: string; detail: string; mend: string | null }[] = JSON.parse(
      watch.run("doctor", "--json").stdout,
    );
    return Object.fromEntries(all.map((check) => [check.name.replace("alerts: ", ""), check]));
  };
  expect(checks()).toMatchObject({
    itself: { state: "ok" },
    absent: { state: "limited", detail: "no-such-program does not exist here" },
  });
  watch.env["ARGUS_EXECUTOR_SOCKET"] = join(watch.dir, "no-socket");
  const installed = checks();
  for (const name of ["itself", "calling", "shell"])
    expect(installed[name]).toEqual({
      name: `alerts: ${name}`,
      state: "limited",
      detail: `${right} runs with the rights of another group, which no program gets in the sandbox of argus.service: alerts may fail`,
      mend: `argus notify --test --channel ${name} tries it there; for mail, docs/channels.md has a way without such rights`,
    });
  expect(installed).toMatchObject({ talking: { state: "ok" }, absent: { state: "limited" } });
});

test("installed and without a daemon, what needs no program goes from here, and a program is not tried at all", async () => {
  const watch = argus();
  const web = await startWebServer();
  afterThis(() => void web.close());
  const program = programOf(watch, "program");
  watch.env["ARGUS_SECRET_HOOK"] = "a key of the test";
  watch.env["ARGUS_EXECUTOR_SOCKET"] = join(watch.dir, "no-socket");
  watch.settings({
    channels: [
      { type: "command", name: "sms", command: [program] },
      { type: "webhook", url: web.url, secretVariable: "ARGUS_SECRET_HOOK" },
    ],
  });
  const [status, output] = await said(watch);
  expect([status, output]).toEqual([
    1,
    `${fromHere}sms: not sent: no daemon runs, and a program is tried in the sandbox of argus.service alone: systemctl start argus, then try again\nwebhook: sent: the webhook webhook took it (status 200)\nargus: sms took no message; alerts wait in the outbox meanwhile\n`,
  ]);
  expect(heardBy(program)).toBe("");
});
