/** The simulated host: clock, units, endpoints, a disk and the far end of the channels, with its own record of all that. */
import { appendFileSync, cpSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Link } from "../../../src/system/link/client.ts";
import { createSystem } from "../../../src/system/machine.ts";
import type { HttpRequest, HttpResponse, RunResult, System } from "../../../src/system/system.ts";
import { createBusEnd } from "./bus.ts";
import { createTime } from "./time.ts";
import { type By, createManager, type Unit, type UnitForm } from "./units.ts";

/** 2026-11-20T00:00:00Z. */
export const baseMs = Date.UTC(2026, 10, 20);
export const paths = {
  config: "/etc/argus/argus.json",
  rules: "/opt/argus/rules",
  state: "/var/lib/argus",
  executor: "/var/lib/argus-executor",
  logs: "/var/log/argus",
};
const webhookUrl = "http://127.0.0.1:9999/hook";
const telegramUrl = "http://127.0.0.1:9998";
export const environment = {
  ARGUS_CONFIG: paths.config,
  ARGUS_RULES_DIR: paths.rules,
  ARGUS_LOCAL_RULES_DIR: "/none",
  ARGUS_STATE_DIR: paths.state,
  ARGUS_EXECUTOR_STATE_DIR: paths.executor,
  ARGUS_EXECUTOR_SOCKET: "/run/argus/executor.sock",
  ARGUS_LOG_DIR: paths.logs,
  ARGUS_INTERVAL: "30",
  ARGUS_SUMMARY_AT: "never",
  ARGUS_SECRET_HOOK: "of-the-hook",
  TELEGRAM_BOT_TOKEN: "123456:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw1",
  TELEGRAM_CHAT_ID: "-100",
  TELEGRAM_API_URL: telegramUrl,
};
export const channels = [{ type: "webhook", url: webhookUrl, secretVariable: "ARGUS_SECRET_HOOK" }];

export interface Site {
  readonly url: string;
  readonly name: string;
  /** The unit that answers there; null: nobody that systemd knows. */
  readonly unit: string | null;
  /** It answers with 503 until then. */
  brokenUntilMs: number;
}

export interface SimulatedProcess {
  readonly system: System;
  /** kill -9: nothing that it waits for comes any more. */
  kill(): void;
  isAlive(): boolean;
}

export type Host = ReturnType<typeof createHost>;

export function createHost(root: string, forms: readonly UnitForm[], sites: readonly Site[]) {
  const time = createTime();
  let boot = 1;
  let bootedMs = -86_400_000;
  let wallOffsetMs = 0;
  let journalFails = false;
  let channelFails = false;
  let executorAway = false;
  let usedPercent = 50;
  const recordFile = join(root, "record.jsonl");
  const receivedFile = join(root, "received.jsonl");
  const write = (file: string, line: object) =>
    appendFileSync(file, `${JSON.stringify({ t: Math.round(time.nowMs()), ...line })}\n`);
  const record = (line: object) => write(recordFile, line);

  const put = (path: string, text: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true, mode: 0o700 });
    writeFileSync(join(root, path), text);
  };
  layFiles(root, put);
  record({ kind: "base", wallMs: baseMs, intervalSeconds: Number(environment.ARGUS_INTERVAL) });

  const said = new Map<string, string>();
  /** A line for each change of what somebody cares about. */
  function note(kind: string, subject: string, state: string, more: object = {}): void {
    const key = `${kind} ${subject}`;
    if (said.get(key) === state && !("attempt" in more)) return;
    said.set(key, state);
    record({ kind, subject, state, ...more });
  }

  const bus = createBusEnd(time, () => manager);
  const manager = createManager(forms, {
    time,
    sinceBoot: () => (time.nowMs() - bootedMs) * 1000,
    onChange(unit, by) {
      bus.changed(unit);
      noteUnit(unit, by);
      noteSites();
    },
  });
  function noteUnit(unit: Unit, by: By | null): void {
    const { watchedAs } = unit.form;
    if (!unit.form.id.endsWith(".service")) return;
    const name = watchedAs ?? unit.form.id.replace(/\.service$/, "");
    if (unit.active === "activating" && unit.sub === "start" && by === "argus")
      record({ kind: "start", subject: name, by });
    const { state, ...more } = stateOf(unit, said.get(`service ${name}`));
    note("service", name, state, more);
  }

  const answers = (site: Site) => {
    const unit = site.unit === null ? null : manager.find(site.unit);
    return (unit == null || isUp(unit)) && time.nowMs() >= site.brokenUntilMs;
  };
  function noteSites(): void {
    for (const site of sites) {
      const unit = site.unit === null ? null : manager.find(site.unit);
      const isStopped =
        unit != null && said.get(`service ${site.unit?.replace(".service", "")}`) === "stopped";
      note("endpoint", site.name, answers(site) ? "up" : isStopped ? "stopped" : "down", { unit: site.unit });
    }
  }

  async function request(wanted: HttpRequest): Promise<HttpResponse> {
    const ok = (status: number, body: string): HttpResponse => ({ status, headers: {}, body, latencyMs: 3 });
    if (wanted.url === webhookUrl || wanted.url.startsWith(telegramUrl)) {
      if (channelFails) throw new Error("connection refused");
      const body = JSON.parse(wanted.body ?? "{}") as Record<string, unknown>;
      const channel = wanted.url === webhookUrl ? "webhook" : "telegram";
      write(receivedFile, channel === "webhook" ? { channel, ...body } : { channel, text: body["text"] });
      return channel === "webhook" ? ok(200, "{}") : ok(200, '{"ok":true,"result":{"message_id":1}}');
    }
    const site = sites.find(({ url }) => url === wanted.url);
    const unit = site?.unit == null ? null : manager.find(site.unit);
    if (site === undefined || (unit != null && !isUp(unit))) throw new Error("connection refused");
    return answers(site) ? ok(200, "ok") : ok(503, "broken");
  }

  async function run(program: string, args: readonly string[]): Promise<RunResult> {
    const result = (exitCode: number, stdout: string, stderr = ""): RunResult => ({
      exitCode,
      stdout,
      stderr,
      timedOut: false,
      missing: false,
    });
    if (program === "systemctl") return result(1, "", "Failed to connect to bus: Connection refused\n");
    if (program !== "journalctl") return { ...result(1, ""), exitCode: null, missing: true };
    if (journalFails) return result(1, "", "Failed to open journal: Input/output error\n");
    const unit = args.find((each) => each.startsWith("UNIT="))?.slice(5) ?? "";
    return result(
      0,
      args.includes("--boot") && args.some((each) => each.startsWith("MESSAGE_ID="))
        ? manager.journalOf(unit)
        : "",
    );
  }

  function process(by: By, pid: number): SimulatedProcess {
    const real = createSystem({ root, path: join(root, "none") });
    const its = bus.busFor(by);
    let isAlive = true;
    const never = new Promise<never>(() => undefined);
    const whileAlive = async <T>(work: Promise<T>): Promise<T> => {
      const outcome = await work.then(
        (value) => () => value,
        (error: unknown) => () => {
          throw error;
        },
      );
      return isAlive ? outcome() : never;
    };
    const startedMs = time.nowMs();
    const sinceBootSeconds = () => (time.nowMs() - bootedMs) / 1000;
    const total = 20e9;
    const system: System = {
      ...real,
      files: {
        ...real.files,
        read: (at) => (at === "/proc/uptime" ? `${sinceBootSeconds()} 1\n` : real.files.read(at)),
        // No power is lost that this computer would notice, and a day has thousands of cycles.
        writeAtomic: (at, text, options) => real.files.writeAtomic(at, text, { ...options, durable: false }),
        append: (at, text) => real.files.append(at, text, { durable: false }),
        statfs: async () => ({
          totalBytes: total,
          freeBytes: total * (1 - usedPercent / 100),
          availableBytes: total * (1 - usedPercent / 100),
          inodes: 1e6,
          inodesFree: 9e5,
        }),
      },
      run: (program, args) => whileAlive(run(program, args)),
      hasProgram: () => false,
      http: {
        request: (wanted) => whileAlive(request(wanted)),
        connect: () => Promise.reject(new Error("connection refused")),
      },
      signal: () => false,
      bus: its.bus,
      clock: {
        now: () => ({
          wallMs: Math.round(baseMs + time.nowMs() + wallOffsetMs),
          uptimeSeconds: sinceBootSeconds(),
          bootId: `boot-${boot}`,
        }),
        monotonicMs: () => time.nowMs() - startedMs,
        sleep: (milliseconds, signal) =>
          new Promise((done) => {
            if (!isAlive) return;
            if (signal?.aborted === true) return done();
            const wake = () => {
              cancel();
              signal?.removeEventListener("abort", wake);
              if (isAlive) done();
            };
            const cancel = time.after(milliseconds, wake);
            signal?.addEventListener("abort", wake, { once: true });
          }),
      },
      self: { ...real.self, pid, parentPid: 1, home: "/root" },
    };
    return {
      system,
      isAlive: () => isAlive,
      kill() {
        isAlive = false;
        its.kill();
      },
    };
  }

  return {
    root,
    time,
    manager,
    bus,
    record,
    put,
    process,
    recordFile,
    receivedFile,
    sites,
    noteSites,
    executorAway: () => executorAway,
    setExecutorAway: (away: boolean) => {
      executorAway = away;
      note("executor", "executor", away ? "down" : "up");
    },
    setJournalFails: (fails: boolean) => {
      journalFails = fails;
      note("journal", "journal", fails ? "down" : "up");
    },
    setChannelFails: (fails: boolean) => {
      channelFails = fails;
      note("channel", "channel", fails ? "down" : "up");
    },
    setBus(state: "answers" | "silent" | "gone") {
      note("bus", "bus", state === "answers" ? "up" : "down", { how: state });
      bus.become(state);
    },
    setDisk(percent: number) {
      usedPercent = percent;
      note("disk", "/", percent > 90 ? "down" : "up", { percent });
    },
    jumpClock(byMs: number) {
      wallOffsetMs += byMs;
      record({ kind: "clock", offsetMs: wallOffsetMs });
    },
    breakSite(site: Site, untilMs: number) {
      site.brokenUntilMs = untilMs;
      noteSites();
      time.after(untilMs - time.nowMs(), noteSites);
    },
    powerOff() {
      note("host", "host", "down");
      manager.powerOff();
    },
    boot() {
      boot += 1;
      bootedMs = time.nowMs();
      note("host", "host", "up");
      manager.boot();
    },
    nowWallMs: () => Math.round(baseMs + time.nowMs() + wallOffsetMs),
  };
}

const isUp = ({ active }: Unit): boolean => active === "active";

/** What the record calls the state of a unit: down is what somebody should hear of. */
function stateOf(
  unit: Unit,
  before: string | undefined,
): { readonly state: string; readonly [more: string]: unknown } {
  const { form, active, load, stopped, downBecause: cause, result, startedBy } = unit;
  if (isUp(unit)) return { state: form.rests ? "resting" : "up", by: startedBy };
  if (load === "masked") return { state: "stopped", cause: "masked", by: "person" };
  if (load === "not-found" && active === "inactive") return { state: "removed", by: "person" };
  if (stopped === "person") return { state: "stopped", cause, by: "person" };
  const isOthers = form.rests || form.watchedAs === null;
  const isBegun = active === "activating" && before !== "resting";
  if (isOthers && active !== "failed" && !isBegun) return { state: "resting" };
  return { state: "down", cause, result, active };
}

/** The machine's files: what the collectors read and no trouble of this day changes. */
function layFiles(root: string, put: (path: string, text: string) => void): void {
  for (const dir of [paths.state, paths.executor, paths.logs])
    mkdirSync(join(root, dir), { recursive: true, mode: 0o700 });
  mkdirSync(join(root, "run/systemd/system"), { recursive: true });
  cpSync(resolve("rules"), join(root, paths.rules), {
    recursive: true,
    filter: (from) => !from.includes("/tests"),
  });
  put(
    "/proc/meminfo",
    "MemTotal: 8000000 kB\nMemFree: 5000000 kB\nMemAvailable: 6000000 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n",
  );
  put("/proc/loadavg", "0.10 0.10 0.10 1/100 1000\n");
  put("/proc/stat", "cpu  1 1 1 1\ncpu0 1 1 1 1\ncpu1 1 1 1 1\nbtime 1700000000\n");
  put("/proc/vmstat", "pswpin 0\npswpout 0\n");
  put("/proc/sys/kernel/hostname", "landmass\n");
  put("/proc/self/mountinfo", "25 1 8:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw\n");
  put("/sys/devices/system/cpu/online", "0-1\n");
  put("/etc/passwd", "root:x:0:0:root:/root:/bin/bash\n");
}

/** The way to the executor's process: away, or an answer as plain JSON. */
export function linkTo(
  ask: (method: string, params: unknown, signal: AbortSignal) => Promise<unknown>,
  isAway: () => boolean,
  lost: () => Error,
): Link {
  return {
    async ask(method, params, signal = new AbortController().signal) {
      if (isAway()) throw lost();
      const answer = await ask(
        method,
        params === undefined ? null : JSON.parse(JSON.stringify(params)),
        signal,
      );
      return answer === undefined ? null : JSON.parse(JSON.stringify(answer));
    },
    close: () => undefined,
  };
}
