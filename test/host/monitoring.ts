/**
 * Debian's Prometheus, Alertmanager and node exporter on throwaway hosts, with the files that docs/alertmanager.md
 * shows, and a real HTTP server that is notified and writes down what it hears.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { succeed } from "./argus.ts";
import { bootHost, checkout, type Host } from "./harness.ts";
import { systemctl } from "./installed.ts";
import { whyMissing } from "./namespaces.ts";

const programs: readonly [program: string, debianPackage: string][] = [
  ["prometheus", "prometheus"],
  ["promtool", "prometheus"],
  ["prometheus-alertmanager", "prometheus-alertmanager"],
  ["amtool", "prometheus-alertmanager"],
  ["prometheus-node-exporter", "prometheus-node-exporter"],
];

/** One sentence when one of them is missing here, null when none is. */
export const whyNoMonitoring = (): string | null => whyMissing(programs);

/** As GET /api/v2/alerts has it. */
export interface Alert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  readonly endsAt: string;
  readonly fingerprint: string;
  readonly status: { readonly state: string; readonly silencedBy: readonly string[] };
}

/** What Alertmanager's webhook sends. */
export interface Notification {
  readonly receiver: string;
  readonly status: "firing" | "resolved";
  readonly groupLabels: Readonly<Record<string, string>>;
  readonly alerts: readonly (Omit<Alert, "status"> & { readonly status: "firing" | "resolved" })[];
}

/** Runs the commands of a transcript. @returns what it looks like now. */
export async function replay(host: Host, transcript: string): Promise<string> {
  const commands = transcript.split("\n").filter((line) => line.startsWith("$ "));
  let text = "";
  for (const command of commands) {
    const output = await succeed(host, ["sh", "-c", command.slice(2)]);
    text += `${command}\n${output === "" ? "" : `${output}\n`}`;
  }
  return text;
}

/** Without what differs from run to run: ids, times, and what began first. */
export const masked = (text: string): string[] =>
  text
    .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "ID")
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, "TIME")
    .split("\n")
    .map((line) => line.trimEnd())
    .sort();

export interface Monitoring {
  readonly monitor: Host;
  readonly web: readonly Host[];
  alerts(): Promise<Alert[]>;
  /** In the order in which they came. */
  notifications(receiver: string): Notification[];
  /** Returns when it answers. */
  restartAlertmanager(): Promise<void>;
  stop(): Promise<void>;
}

const received = "/srv/received.jsonl";
const receiver = `import { appendFileSync } from "node:fs";
import { createServer } from "node:http";
createServer(async (request, response) => {
  let body = "";
  for await (const part of request) body += part;
  appendFileSync("${received}", JSON.stringify(JSON.parse(body)) + "\\n");
  response.end();
}).listen(8060, "127.0.0.1");
`;
const names = ["web1", "web2", "web3"];
const hostsFile = [
  "127.0.0.1 localhost monitor",
  ...names.map((name, index) => `127.0.1.${index + 1} ${name}`),
]
  .map((line) => `${line}\n`)
  .join("");
const defaults = (name: string) => `/etc/default/${name}`;

/** A code block of the page: which one of its language, counted from 0. */
export function shown(language: "json" | "yaml" | "", number: number): string {
  const page = readFileSync(join(checkout, "docs/alertmanager.md"), "utf8");
  const blocks = [...page.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].filter(([, of]) => of === language);
  const text = blocks[number]?.[2];
  if (text === undefined) throw new Error(`docs/alertmanager.md has no block ${number} of ${language}`);
  return text;
}

/** What a person would wait for, a test does not. */
const hasty = (text: string, seconds: Readonly<Record<string, number>>): string =>
  text.replace(/^(\s+)(\w+): \d+[smh]$/gm, (line, indent, key) =>
    seconds[key] === undefined ? line : `${indent}${key}: ${seconds[key]}s`,
  );

/**
 * Four hosts on one network.
 * @param prepare makes of a host what is to be watched: before Prometheus looks, so that nothing is wrong yet.
 */
export async function bootMonitoring(prepare: (host: Host) => Promise<void>): Promise<Monitoring> {
  const refusal = whyNoMonitoring();
  if (refusal !== null) throw new Error(refusal);
  const monitor = await bootHost({ name: "monitor" });
  const web: Host[] = [];
  const stop = async () => {
    await Promise.all(web.map((host) => host.stop()));
    await monitor.stop();
  };
  try {
    const others = await Promise.allSettled(names.map((name) => bootHost({ name, network: monitor })));
    for (const other of others) if (other.status === "fulfilled") web.push(other.value);
    for (const other of others) if (other.status === "rejected") throw other.reason;
    for (const host of [monitor, ...web]) host.write("/etc/hosts", hostsFile);
    await startMonitor(monitor);
    await Promise.all(
      web.map(async (host, index) => await prepare(host).then(() => startExporter(host, index))),
    );
    await systemctl(monitor, "start", "prometheus");
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    monitor,
    web,
    // Without a choice amtool leaves out what is silenced.
    alerts: async () =>
      JSON.parse(
        await succeed(monitor, [
          ...["amtool", "--output=json", "alert", "query"],
          ...["--active", "--silenced", "--inhibited"],
        ]),
      ),
    restartAlertmanager: async () => {
      await systemctl(monitor, "restart", "prometheus-alertmanager");
      await isReady(monitor);
    },
    notifications: (name) => {
      if (!existsSync(join(monitor.root, received))) return [];
      const lines = readFileSync(join(monitor.root, received), "utf8").split("\n").slice(0, -1);
      return lines.map((line) => JSON.parse(line)).filter((each: Notification) => each.receiver === name);
    },
    stop,
  };
}

async function startMonitor(monitor: Host): Promise<void> {
  // What the machine's own ones may have gathered is none of this host's.
  await succeed(monitor, ["sh", "-c", "rm -rf /var/lib/prometheus/* /etc/prometheus/*"]);
  const alertmanager = hasty(shown("yaml", 0), { group_wait: 5, group_interval: 2 });
  monitor.write("/etc/prometheus/alertmanager.yml", alertmanager);
  monitor.write(
    "/etc/prometheus/prometheus.yml",
    hasty(shown("yaml", 1), { scrape_interval: 1, evaluation_interval: 1 }),
  );
  monitor.write("/etc/prometheus/argus.yml", hasty(shown("yaml", 2), { for: 0 }));
  monitor.write(
    defaults("prometheus-alertmanager"),
    'ARGS="--cluster.listen-address= --web.listen-address=127.0.0.1:9093"\n',
  );
  monitor.write(defaults("prometheus"), 'ARGS="--web.listen-address=127.0.0.1:9090"\n');
  monitor.write("/etc/amtool/config.yml", "alertmanager.url: http://monitor:9093\n");
  monitor.write("/srv/receiver.mjs", receiver);
  await monitor.unit("receiver.service", `[Service]\nExecStart=${process.execPath} /srv/receiver.mjs\n`);
  await systemctl(monitor, "start", "receiver", "prometheus-alertmanager");
  await isReady(monitor);
}

const isReady = async (monitor: Host): Promise<void> =>
  await monitor.waitFor(
    async () => (await monitor.exec(["amtool", "cluster", "show"])).exitCode === 0,
    20_000,
    "Alertmanager to answer",
  );

async function startExporter(host: Host, index: number): Promise<void> {
  const address = `--web.listen-address=127.0.1.${index + 1}:9100`;
  host.write(
    defaults("prometheus-node-exporter"),
    `ARGS="${address} --collector.disable-defaults --collector.systemd"\n`,
  );
  await systemctl(host, "start", "prometheus-node-exporter");
  const ask = `fetch("http://127.0.1.${index + 1}:9100/metrics").then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))`;
  const isThere = async () => (await host.exec([process.execPath, "-e", ask])).exitCode === 0;
  await host.waitFor(isThere, 20_000, "the node exporter to answer");
}
