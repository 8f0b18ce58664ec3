/** Channels of argus.json, with the built program and real servers. */
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startBotApi, token } from "../notify/bot-api.ts";
import { startWebServer } from "../notify/web-server.ts";
import { afterThis, alive, argus, ended, until } from "./argus.ts";

const holds = (name: string) => ({
  rules: [
    {
      name,
      description: "Holds on every machine",
      conditions: { all: [{ fact: "host", path: "cores", operator: "greaterThan", value: 0 }] },
      event: {
        type: "check",
        params: { condition: name, severity: "warning", subject: name, summary: `${name} holds` },
      },
    },
  ],
});

test("a channel that hangs delays no cycle, holds up no other channel, and not the end of the daemon", async () => {
  const api = await startBotApi();
  const web = await startWebServer();
  afterThis(() => void api.close());
  afterThis(() => void web.close());
  web.otherwise = "hang";
  const watch = argus({
    TELEGRAM_BOT_TOKEN: token,
    TELEGRAM_CHAT_ID: "-100",
    TELEGRAM_API_URL: api.url,
    ARGUS_INTERVAL: "1",
    ARGUS_SECRET_HOOK: "a key of the test",
  });
  watch.settings({
    channels: [{ type: "webhook", url: web.url, secretVariable: "ARGUS_SECRET_HOOK", timeoutSeconds: 60 }],
  });
  watch.rule("first.json", holds("first"));
  const daemon = watch.start("run");
  const cycles = () => readFileSync(watch.state("trail.jsonl"), "utf8").trim().split("\n").length;
  await until("the webhook is asked", () => web.open() === 1, 30_000);
  await until("Telegram has it", () => api.told.some(({ text }) => text.includes("first holds")), 30_000);
  const before = cycles();
  // A problem of a later cycle reaches the channel that works while the other still waits for its first answer.
  watch.rule("second.json", holds("second"));
  await until("two more cycles", () => cycles() >= before + 2, 30_000);
  await until(
    "Telegram has the next",
    () => api.told.some(({ text }) => text.includes("second holds")),
    30_000,
  );
  expect([web.open(), web.asked.length]).toEqual([1, 1]);
  daemon.kill("SIGTERM");
  expect(await ended(daemon)).toBe(0);
  expect([daemon.signalCode, alive(daemon.pid ?? 0)]).toEqual([null, false]);
  expect(web.asked).toHaveLength(1);
  // What the one has confirmed waits for the other alone.
  const { stdout } = watch.run("status", "--json");
  expect(JSON.parse(stdout).outbox.channels).toMatchObject([
    { name: "telegram", waiting: 0 },
    { name: "webhook", waiting: 2 },
  ]);
}, 120_000);

test("the secrets of channels appear in no output, no log and no state, whatever a server says back", async () => {
  const web = await startWebServer();
  afterThis(() => void web.close());
  const secrets = {
    ARGUS_SECRET_HOOK: "k3y-of-the-signature",
    ARGUS_SECRET_ENTRY: "Bearer 3ntry-of-the-hook",
  };
  web.otherwise = ({ headers }) => ({
    status: 401,
    body: `no entry for ${headers.authorization} (${secrets.ARGUS_SECRET_HOOK})`,
  });
  const watch = argus();
  writeFileSync(
    join(watch.dir, "argus.env"),
    Object.entries(secrets)
      .map(([name, value]) => `${name}="${value}"\n`)
      .join(""),
    { mode: 0o600 },
  );
  watch.settings({
    channels: [
      {
        type: "webhook",
        name: "hook",
        url: web.url,
        secretVariable: "ARGUS_SECRET_HOOK",
        authorizationVariable: "ARGUS_SECRET_ENTRY",
      },
      { type: "alertmanager", url: web.url, authorizationVariable: "ARGUS_SECRET_ENTRY" },
    ],
  });
  watch.rule("first.json", holds("first"));
  const run = async (...args: string[]) => {
    const child = watch.start(...args);
    await ended(child);
    return child.output();
  };
  const said = new Map<string, string>();
  for (const args of [
    "run --once",
    "notify --test",
    "status",
    "status --json",
    "doctor",
    "doctor --json",
    "check",
    "logs",
  ])
    said.set(args, await run(...args.split(" ")));
  const mend = "check authorizationVariable of the channel, and what stands in argus.env under that name";
  expect(said.get("notify --test")).toContain(
    `hook: not sent: the webhook hook refused (401: no entry for *** (***)); ${mend}\n`,
  );
  expect(said.get("status")).toContain("no entry for ***");
  expect(said.get("doctor")).toContain("no entry for ***");
  for (const folder of ["state", "logs"]) {
    for (const name of readdirSync(join(watch.dir, folder), { recursive: true, encoding: "utf8" })) {
      const path = join(watch.dir, folder, name);
      // The copy of argus.env for the time when that is broken; like argus.env, it is its owner's alone.
      if (name === "good_env.json") expect(statSync(path).mode & 0o777).toBe(0o600);
      else if (statSync(path).isFile()) said.set(path, readFileSync(path, "utf8"));
    }
  }
  expect(said.size).toBeGreaterThan(12);
  for (const [where, text] of said) {
    expect(text, where).not.toContain("k3y-of-the-signature");
    expect(text, where).not.toContain("3ntry-of-the-hook");
  }
});
