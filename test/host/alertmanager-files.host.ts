/** The files that docs/alertmanager.md shows, read by the programs that they are for. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { succeed } from "./argus.ts";
import { bootHost, type Host } from "./harness.ts";
import { shown, whyNoMonitoring } from "./monitoring.ts";

let monitor: Host;
beforeAll(async () => {
  const refusal = whyNoMonitoring();
  if (refusal !== null) throw new Error(refusal);
  monitor = await bootHost({ name: "monitor" });
});
afterAll(async () => await monitor?.stop());

describe("the files that docs/alertmanager.md shows", () => {
  it("are taken as they stand", async () => {
    monitor.write("/srv/shown/alertmanager.yml", shown("yaml", 0));
    monitor.write("/srv/shown/argus.yml", shown("yaml", 2));
    monitor.write("/etc/prometheus/argus.yml", shown("yaml", 2));
    monitor.write("/srv/shown/prometheus.yml", shown("yaml", 1));
    const checked = [
      await succeed(monitor, ["amtool", "check-config", "/srv/shown/alertmanager.yml"]),
      await succeed(monitor, ["promtool", "check", "config", "/srv/shown/prometheus.yml"]),
      await succeed(monitor, ["promtool", "check", "rules", "/srv/shown/argus.yml"]),
    ];
    expect(checked.map((said) => /SUCCESS/.test(said))).toEqual([true, true, true]);
  });

  it("miss an Argus that is stopped or not there, and a host that is silent, after five minutes", async () => {
    const up = (instance: string, values: string) => ({
      series: `up{job="node", instance="${instance}"}`,
      values,
    });
    const unit = (instance: string, values: string, name = "argus.service") => ({
      series: `node_systemd_unit_state{name="${name}", state="active", instance="${instance}"}`,
      values,
    });
    const labels = (instance: string) => ({ job: "node", instance, severity: "critical" });
    const absent = (instance: string) => ({
      exp_labels: labels(instance),
      exp_annotations: { summary: `Argus does not run on ${instance}: nobody looks after it` },
    });
    const silent = (instance: string) => ({
      exp_labels: labels(instance),
      exp_annotations: { summary: `${instance} does not answer` },
    });
    const at = (eval_time: string, alertname: string, ...exp_alerts: object[]) => ({
      eval_time,
      alertname,
      exp_alerts,
    });
    const test = {
      interval: "1m",
      input_series: [
        ...[up("fine", "1x30"), unit("fine", "1x30")],
        ...[up("timed", "1x30"), unit("timed", "1x30", "argus-once.timer"), unit("timed", "0x30")],
        ...[up("stopped", "1x30"), unit("stopped", "1x10 0x20")],
        up("bare", "1x30"),
        ...[up("silent", "1x10 0x20"), unit("silent", "1x10 _x20")],
      ],
      alert_rule_test: [
        at("4m", "ArgusAbsent"),
        at("5m", "ArgusAbsent", absent("bare")),
        at("15m", "ArgusAbsent", absent("bare")),
        at("16m", "ArgusAbsent", absent("bare"), absent("stopped")),
        at("15m", "HostSilent"),
        at("16m", "HostSilent", silent("silent")),
      ],
    };
    const tests = { rule_files: ["argus.yml"], evaluation_interval: "1m", tests: [test] };
    monitor.write("/srv/shown/tests.yml", JSON.stringify(tests));
    expect(await succeed(monitor, ["promtool", "test", "rules", "/srv/shown/tests.yml"])).toContain(
      "SUCCESS",
    );
  });
});
