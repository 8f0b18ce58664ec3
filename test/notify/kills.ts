/**
 * Delivery in a process of its own that is killed with SIGKILL again and again, while messages pass through two flaky
 * channels at once. What is real: the program (the one that the daemon calls, bundled), its files, the servers, the
 * kills. What is not: the pauses between two messages are shorter, by `haste`, and so a kill is as many times likelier
 * to fall between a server's yes and the removal of the message.
 *
 * A server fails before it takes a message, never after, so a message that it has twice was said twice because of a
 * kill. (One that takes a message and then loses its answer has it twice by its own fault; no sender can know.)
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildSync } from "esbuild";
import { putIntoOutbox } from "../../src/execute/outbox.ts";
import { createSystem } from "../../src/system/machine.ts";
import { severities } from "../../src/types/problem.ts";
import { token } from "./bot-api.ts";
import { type Answer, type Reply, startWebServer } from "./web-server.ts";

export interface Campaign {
  readonly messages: number;
  readonly kills: number;
  /** Real pauses are so many times longer. */
  readonly haste: number;
}

export interface Outcome {
  /** Numbers of the messages that each server took, in its order. */
  readonly telegram: readonly number[];
  readonly webhook: readonly number[];
  /** Requests that a server failed. */
  readonly failed: number;
  /** What is left in the state directory. */
  readonly left: readonly string[];
}

const source = join(import.meta.dirname, "../../src");

/** As the daemon does it: a delivery after every cycle, whether the one before has ended or not. */
const program = `
  import { createDelivery } from ${JSON.stringify(join(source, "notify/deliver.ts"))};
  import { createSystem } from ${JSON.stringify(join(source, "system/machine.ts"))};
  const [stateDir, settings, haste] = process.argv.slice(2);
  const system = createSystem();
  const sleep = (milliseconds, signal) => system.clock.sleep(milliseconds / Number(haste), signal);
  const delivery = createDelivery({ ...system, clock: { ...system.clock, sleep } }, stateDir);
  const { signal } = new AbortController();
  const cycle = () => void delivery.deliver(JSON.parse(settings), signal, 600_000);
  cycle();
  setInterval(cycle, 50);
`;

function build(path: string): void {
  const banner =
    'import { createRequire as make } from "node:module"; const require = make(import.meta.url);';
  buildSync({
    stdin: { contents: program, resolveDir: source, loader: "ts" },
    outfile: path,
    bundle: true,
    format: "esm",
    platform: "node",
    mainFields: ["module", "main"],
    banner: { js: banner },
  });
}

/** Of a hundred requests: three asked to wait, three failed, three cut off; the others are taken. */
function flaky(take: () => Answer, failure: () => void): Reply {
  const roll = Math.random() * 100;
  if (roll < 9) failure();
  if (roll < 3)
    return {
      status: 429,
      headers: { "retry-after": "1" },
      body: '{"ok":false,"parameters":{"retry_after":1}}',
    };
  if (roll < 6) return { status: 500 };
  return roll < 9 ? "reset" : take();
}

const numberIn = (text: string): number => Number(/number (\d+)/.exec(text)?.[1] ?? Number.NaN);
/** So many messages wait at a time: more would be folded into a digest, which is another test. */
const mostWaiting = 60;

export async function runCampaign({ messages, kills, haste }: Campaign): Promise<Outcome> {
  const { files, clock } = createSystem();
  const dir = mkdtempSync(join(tmpdir(), "argus-kills-"));
  const path = join(dir, "deliver.mjs");
  const stateDir = join(dir, "state");
  build(path);
  files.makeDirectory(stateDir);
  const telegram: number[] = [];
  const webhook: number[] = [];
  let failed = 0;
  const fail = () => {
    failed += 1;
  };
  const bot = await startWebServer();
  const web = await startWebServer();
  bot.otherwise = ({ body }) =>
    flaky(() => {
      telegram.push(numberIn(JSON.parse(body).text));
      return { status: 200, body: '{"ok":true}' };
    }, fail);
  web.otherwise = ({ body }) =>
    flaky(() => {
      webhook.push(numberIn(JSON.parse(body).text));
      return { status: 202 };
    }, fail);
  const settings = JSON.stringify({
    intervalSeconds: 300,
    channels: [
      { type: "telegram", name: "telegram", token, chatId: "-100", apiUrl: bot.url },
      {
        type: "webhook",
        name: "webhook",
        url: web.url,
        secret: "k",
        authorization: null,
        timeoutSeconds: 10,
      },
    ],
  });
  const start = () => spawn(process.execPath, [path, stateDir, settings, String(haste)], { stdio: "ignore" });
  const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
  const reached = () => Math.min(new Set(telegram).size, new Set(webhook).size);
  let put = 0;
  const feed = () => {
    for (; put < messages && put < reached() + mostWaiting; put += 1) {
      const now = clock.now();
      const severity = severities[put % severities.length] ?? "info";
      const createdAt = new Date(now.wallMs).toISOString();
      const message = { version: 1 as const, createdAt, severity, text: `number ${put}.`, problems: [] };
      putIntoOutbox(files, stateDir, message, now);
    }
  };
  /** Until so many more have arrived at both, or there are no more. */
  const until = async (count: number) => {
    for (const wanted = Math.min(messages, reached() + count); reached() < wanted; await pause(1)) feed();
  };
  try {
    for (let kill = 0; kill < kills; kill += 1) {
      feed();
      const child = start();
      const gone = new Promise((resolve) => child.once("exit", resolve));
      // The kills are spread over all messages: as many pass in each life as there are left for it, more or less.
      const share = (messages - reached()) / (kills - kill);
      await until(Math.floor(Math.random() * 2 * share));
      await pause(Math.random() * 1.5 * (1000 / haste));
      child.kill("SIGKILL");
      await gone;
    }
    const last = start();
    const gone = new Promise((resolve) => last.once("exit", resolve));
    await until(messages);
    // The last yes and the removal of its file are two moments.
    const outbox = () => readdirSync(join(stateDir, "outbox")).length;
    for (let tries = 0; tries < 2000 && outbox() > 0; tries += 1) await pause(5);
    last.kill("SIGKILL");
    await gone;
    // What the last kill left half written, the next start would remove.
    const left = readdirSync(stateDir, { recursive: true, encoding: "utf8" }).filter(
      (name) => !name.endsWith(".tmp"),
    );
    left.sort();
    return { telegram, webhook, failed, left };
  } finally {
    await bot.close();
    await web.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** The same list without what is said again at once. */
export const onceEach = (numbers: readonly number[]): number[] =>
  numbers.filter((number, index) => index === 0 || number !== numbers[index - 1]);
