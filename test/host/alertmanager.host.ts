/**
 * Argus on three hosts, and the real Alertmanager and Prometheus of Debian, set up as docs/alertmanager.md says: what
 * breaks arrives as alerts that are grouped, silenced with amtool, held for as long as they last, and ended.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { Host } from "./harness.ts";
import { crash, installArgus, service, systemctl } from "./installed.ts";
import { type Alert, bootMonitoring, type Monitoring } from "./monitoring.ts";

let all: Monitoring;
const channels = [{ type: "alertmanager", url: "http://monitor:9093" }];

beforeAll(async () => {
  const t = performance.now();
  all = await bootMonitoring();
  console.log("booted", performance.now() - t);
  await Promise.all(
    all.web.map(async (host) => {
      await service(host, "shop");
      await service(host, "till");
      await systemctl(host, "start", "shop", "till");
      const services = ["shop", "till"].map((unit) => ({ unit, restart: false }));
      await installArgus(host, { settings: { services, channels } });
    }),
  );
  console.log("installed", performance.now() - t);
}, 60_000);
afterAll(async () => await all?.stop());

const web = (number: 1 | 2 | 3): Host => all.web[number - 1] as Host;
describe("x", () => {
  it("y", async () => {
    await Promise.all(all.web.map((h) => crash(h, "shop")));
    const t = performance.now();
    for (let i = 0; i < 12; i++) {
      await new Promise((r) => setTimeout(r, 1000));
      console.log(performance.now() - t, (await all.alerts()).map((a) => `${a.labels["alertname"]} ${a.labels["instance"]} ${a.labels["name"]} ${a.labels["subject"]} ${a.endsAt}`));
    }
    console.log(await all.amtool("alert", "query"));
    console.log(JSON.stringify(all.notifications("team"), null, 1).slice(0, 3000));
    for (const n of [...all.notifications("team"), ...all.notifications("on-call")]) console.log(n.receiver, n.status, n.groupLabels, n.alerts.map((a) => `${a.status} ${a.labels["alertname"]} ${a.labels["instance"]}`));
    console.log((await all.monitor.exec(["journalctl", "-u", "prometheus", "-u", "prometheus-alertmanager", "--no-pager"])).stdout.slice(-6000));
    console.log((await all.monitor.exec(["systemctl", "list-units", "--failed"])).stdout);
  });
});
