/**
 * Argus on three hosts, and the real Alertmanager and Prometheus of Debian, set up as docs/alertmanager.md says: what
 * breaks arrives as alerts that are grouped, silenced with amtool, held for as long as they last, and ended.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { layClock, setClock } from "./clock.ts";
import type { Host } from "./harness.ts";
import { argus, crash, installArgus, service, systemctl } from "./installed.ts";
import {
  type Alert,
  bootMonitoring,
  type Monitoring,
  masked,
  type Notification,
  replay,
  shown,
} from "./monitoring.ts";

let all: Monitoring;
const names = ["web1", "web2", "web3"];
const units = ["shop", "till", "desk"];
const web = (number: 1 | 2 | 3): Host => all.web[number - 1] as Host;

beforeAll(async () => {
  const services = units.map((unit) => ({ unit, restart: false }));
  const settings = { services, ...JSON.parse(shown("json", 0)) };
  all = await bootMonitoring(async (host) => {
    for (const unit of units) await service(host, unit);
    await systemctl(host, "start", ...units);
    layClock(host);
    await installArgus(host, { settings });
  });
}, 60_000);
afterAll(async () => await all?.stop());

type Labelled = Pick<Alert, "labels">;
const isOf =
  (subject: string, instance?: string) =>
  ({ labels }: Labelled): boolean =>
    labels["alertname"] === "ArgusService" &&
    labels["subject"] === subject &&
    (instance === undefined || labels["instance"] === instance);
const hostsOf = (alerts: readonly Labelled[]) => alerts.map(({ labels }) => labels["instance"]).sort();
const identities = (alerts: readonly (Labelled & { fingerprint: string; startsAt: string })[]) =>
  alerts.map(({ labels, fingerprint, startsAt }) => ({ labels, fingerprint, since: Date.parse(startsAt) }));

const alertsOf = async (subject: string): Promise<Alert[]> => {
  const found = (await all.alerts()).filter(isOf(subject));
  return found.sort((a, b) => ((a.labels["instance"] ?? "") < (b.labels["instance"] ?? "") ? -1 : 1));
};
const isQuiet = (alerts: readonly Alert[]) =>
  alerts.length === 1 &&
  alerts[0]?.status.state === "suppressed" &&
  isOf(alerts[0].labels["subject"] ?? "", "web2")(alerts[0]);
/** Of Argus's alerts to the team: these have a group of their own. */
const toTeam = (): Notification[] =>
  all.notifications("team").filter(({ groupLabels }) => groupLabels["alertname"] === "ArgusService");
const waitFor = async (seconds: number, what: string, predicate: () => boolean | Promise<boolean>) =>
  await all.monitor.waitFor(predicate, seconds * 1000, what);

it("a test message arrives, and says so", async () => {
  expect(await argus(web(1), "notify", "--test")).toEqual({
    exitCode: 0,
    stdout: expect.stringMatching(
      /^the daemon \(pid \d+\) was asked, which sends the alerts\nalertmanager: sent: Alertmanager took it \(status 200\)$/,
    ),
    stderr: "",
  });
  const found = (await all.alerts()).filter(({ labels }) => labels["alertname"] === "ArgusTest");
  expect(found.map(({ annotations }) => annotations["summary"])).toEqual([
    "web1: a test of Argus. Alerts will arrive like this.",
  ]);
});

/** What was seen of the outage while it was new. */
let outage: Alert[];

describe("an outage on three hosts", { timeout: 150_000 }, () => {
  it("is three alerts with the same labels but for the host, in one notification", async () => {
    await Promise.all(all.web.map(async (host) => await crash(host, "shop")));
    await waitFor(20, "three alerts", async () => (await alertsOf("shop")).length === 3);
    outage = await alertsOf("shop");
    const { problem } = outage[0]?.labels ?? {};
    expect(outage.map(({ labels }) => labels)).toEqual(
      names.map((name) => ({
        alertname: "ArgusService",
        host: name,
        instance: name,
        type: "service",
        subject: "shop",
        severity: "critical",
        problem,
      })),
    );
    expect(outage.map(({ status }) => status.state)).toEqual(["active", "active", "active"]);
    await waitFor(20, "the notification", () => toTeam().length > 0);
    expect(toTeam()).toMatchObject([{ status: "firing", groupLabels: { alertname: "ArgusService" } }]);
    const told = toTeam()[0]?.alerts ?? [];
    expect(hostsOf(told)).toEqual(names);
    for (const alert of outage) expect(identities(told)).toContainEqual(identities([alert])[0]);
    expect(told[0]?.annotations).toEqual({
      summary: "shop is failed (signal), and Argus may not restart it",
      explain: `argus explain ${problem}`,
      advice: expect.stringMatching(/^Read journalctl -e -u shop, /),
    });
  });

  it("stands beside what Prometheus sees of the same host by itself, in one group", async () => {
    for (const name of names) {
      const together = ({ groupLabels, alerts }: Notification) =>
        groupLabels["instance"] === name &&
        alerts.some(isOf("shop", name)) &&
        alerts.some(
          ({ labels }) => labels["alertname"] === "UnitFailed" && labels["name"] === "shop.service",
        );
      await waitFor(20, `both alerts of ${name}`, () => all.notifications("on-call").some(together));
    }
    const onCall = all.notifications("on-call");
    expect(
      onCall.filter(({ groupLabels, alerts }) =>
        hostsOf(alerts).some((name) => name !== groupLabels["instance"]),
      ),
    ).toEqual([]);
  });

  it("is silenced with amtool, and of a silenced host no notification comes", async () => {
    const before = { team: toTeam().length, onCall: all.notifications("on-call").length };
    const transcript = await replay(all.monitor, shown("", 0));
    expect(masked(transcript)).toEqual(masked(shown("", 0)));
    await crash(web(2), "till");
    await waitFor(20, "the silenced alert", async () => isQuiet(await alertsOf("till")));
    await crash(web(1), "till");
    await waitFor(20, "the notification of web1", () =>
      toTeam().some(({ alerts }) => alerts.some(isOf("till", "web1"))),
    );
    const since = [...toTeam().slice(before.team), ...all.notifications("on-call").slice(before.onCall)];
    expect(since.flatMap(({ alerts }) => hostsOf(alerts))).not.toContain("web2");
    const silenced = (await all.alerts()).filter(({ status }) => status.silencedBy.length > 0);
    expect(new Set(hostsOf(silenced))).toEqual(new Set(["web2"]));
    expect(silenced.length).toBeGreaterThanOrEqual(3);
  });

  it("is known again after a restart of Alertmanager, as the same, and nobody is told twice", async () => {
    const before = toTeam().length;
    await all.restartAlertmanager();
    // Meanwhile one that ends, by the clock of its host, in Alertmanager's future: by one word it would be held on.
    setClock(web(2), 5);
    await crash(web(2), "desk");
    await waitFor(20, "the silenced alert", async () => isQuiet(await alertsOf("desk")));
    await systemctl(web(2), "start", "desk");
    await waitFor(60, "three alerts again", async () => (await alertsOf("shop")).length === 3);
    await waitFor(60, "the end of what is over", async () => (await alertsOf("desk")).length === 0);
    setClock(web(2), 0);
    const again = await alertsOf("shop");
    expect(identities(again)).toEqual(identities(outage));
    expect(again.map(({ status }) => status.state)).toEqual(["active", "suppressed", "active"]);
    for (const [index, { endsAt }] of again.entries())
      expect(Date.parse(endsAt)).toBeGreaterThan(Date.parse(outage[index]?.endsAt ?? ""));
    // The next thing that is told is what is new.
    await crash(web(3), "till");
    await waitFor(20, "the notification of web3", () => toTeam().length > before);
    expect(toTeam()[before]?.alerts.filter(isOf("till", "web3"))).toHaveLength(1);
  });

  it("is over on recovery, as the alerts that were told", async () => {
    await Promise.all(all.web.map(async (host) => await systemctl(host, "start", ...units)));
    await waitFor(60, "the end of all alerts", async () =>
      (await all.alerts()).every(({ labels }) => labels["alertname"] !== "ArgusService"),
    );
    const ended = () =>
      toTeam().flatMap(({ alerts }) => alerts.filter(({ status }) => status === "resolved"));
    await waitFor(
      20,
      "four recoveries",
      () => new Set(ended().map(({ fingerprint }) => fingerprint)).size === 4,
    );
    expect(toTeam().at(-1)?.status).toBe("resolved");
    const told = toTeam().flatMap(({ alerts }) => alerts.filter(({ status }) => status === "firing"));
    for (const { fingerprint, labels, startsAt, endsAt } of ended()) {
      expect(told).toContainEqual(expect.objectContaining({ fingerprint, labels, startsAt }));
      expect(Date.parse(endsAt)).toBeGreaterThan(Date.parse(startsAt));
    }
    expect(hostsOf(ended())).not.toContain("web2");
    expect(await replay(all.monitor, shown("", 1))).toBe(shown("", 1));
    expect(await replay(all.monitor, "$ amtool silence query --quiet\n")).toBe(
      "$ amtool silence query --quiet\n",
    );
  });
});

describe("an Argus that is gone for good", { timeout: 150_000 }, () => {
  // With a right clock this takes five minutes: an alert of this host is held for as long from its own time on.
  const behindSeconds = 285;

  it("holds no alert, and is missed by Prometheus", async () => {
    setClock(web(3), -behindSeconds);
    await crash(web(3), "desk");
    await waitFor(20, "the alert", async () => (await alertsOf("desk")).length === 1);
    await crash(web(3), "argus");
    await systemctl(web(3), "stop", "argus");
    await waitFor(30, "the end of its alert", async () => (await alertsOf("desk")).length === 0);
    const absent = ({ labels }: Labelled) => labels["alertname"] === "ArgusAbsent";
    await waitFor(20, "the alert of Prometheus", async () => (await all.alerts()).some(absent));
    expect(hostsOf((await all.alerts()).filter(absent))).toEqual(["web3"]);
    const journal = await web(3).exec(["journalctl", "--unit=argus", "--output=cat", "--no-pager"]);
    expect(journal.stdout).toMatch(/the clock of Alertmanager is 28[456] s ahead of the one here/);
  });
});
