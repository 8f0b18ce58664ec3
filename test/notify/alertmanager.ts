/**
 * An Alertmanager, and one that keeps alerts as it does: the same labels are the same alert, one whose `endsAt` has
 * passed is over, overlapping ones are merged, and the valid ones of a bad batch are kept.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startWebServer, type WebServer } from "./web-server.ts";

export interface Alert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  readonly endsAt: string;
}

export interface Alertmanager {
  readonly url: string;
  /** What is firing there now. */
  firing(): Promise<Alert[]>;
  close(): Promise<void>;
}

export interface FakeAlertmanager extends Alertmanager {
  readonly web: WebServer;
  /** Bodies of all requests, in their order. */
  readonly batches: () => Alert[][];
}

const labelName = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const overlaps = (a: Alert, b: Alert): boolean =>
  (a.endsAt > b.startsAt && a.endsAt < b.endsAt) || (a.startsAt > b.startsAt && a.startsAt < b.endsAt);

/** As provider/mem and types.Alert.Merge of Alertmanager 0.25 do it. */
function merged(young: Alert, old: Alert, now: string): Alert {
  const startsAt = young.startsAt < old.startsAt ? young.startsAt : old.startsAt;
  const isOver = young.endsAt <= now;
  const later = old.endsAt > young.endsAt && (!isOver || old.endsAt <= now);
  return { ...young, startsAt, endsAt: later ? old.endsAt : young.endsAt };
}

export async function startFakeAlertmanager(nowMs: () => number): Promise<FakeAlertmanager> {
  const kept = new Map<string, Alert>();
  const now = () => new Date(nowMs()).toISOString();
  const web = await startWebServer();
  web.otherwise = ({ method, path, body }) => {
    if (method !== "POST" || path !== "/api/v2/alerts") return { status: 404, body: "404 page not found" };
    const faults: string[] = [];
    for (const alert of JSON.parse(body) as Alert[]) {
      const labels = Object.entries(alert.labels).filter(([, value]) => value !== "");
      if (labels.length === 0 || labels.some(([name]) => !labelName.test(name))) {
        faults.push("invalid label set");
        continue;
      }
      if (Date.parse(alert.endsAt) < Date.parse(alert.startsAt)) {
        faults.push("start time must be before end time");
        continue;
      }
      const key = JSON.stringify(labels.sort(([a], [b]) => (a < b ? -1 : 1)));
      const old = kept.get(key);
      kept.set(key, old !== undefined && overlaps(alert, old) ? merged(alert, old, now()) : alert);
    }
    return faults.length > 0 ? { status: 400, body: JSON.stringify(faults.join("; ")) } : { status: 200 };
  };
  return {
    url: web.url,
    web,
    batches: () => web.asked.map(({ body }) => JSON.parse(body)),
    firing: async () => [...kept.values()].filter(({ endsAt }) => Date.parse(endsAt) > nowMs()),
    close: () => web.close(),
  };
}

const program = "/usr/bin/prometheus-alertmanager";
export const hasAlertmanager = existsSync(program);

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return address !== null && typeof address === "object" ? address.port : 0;
}

/** Debian's, where it is installed. */
export async function startRealAlertmanager(): Promise<Alertmanager> {
  const dir = mkdtempSync(join(tmpdir(), "argus-alertmanager-"));
  const file = join(dir, "alertmanager.yml");
  writeFileSync(file, "route: { receiver: nobody }\nreceivers: [{ name: nobody }]\n");
  const address = `127.0.0.1:${await freePort()}`;
  const child = spawn(
    program,
    [
      `--config.file=${file}`,
      `--storage.path=${join(dir, "data")}`,
      `--web.listen-address=${address}`,
      "--cluster.listen-address=",
    ],
    { stdio: "ignore" },
  );
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const url = `http://${address}`;
  for (let tries = 0; tries < 400; tries += 1) {
    const ready = await fetch(`${url}/-/ready`).catch(() => null);
    if (ready?.ok === true) break;
    await new Promise((wait) => setTimeout(wait, 25));
  }
  return {
    url,
    firing: async () => (await fetch(`${url}/api/v2/alerts`)).json() as Promise<Alert[]>,
    async close() {
      child.kill("SIGKILL");
      await ended;
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
