// Runs on the host: ends the main process of one unit after the other, and prints the milliseconds from the kill until
// systemd has it active again, by systemd's own clock.
import { spawnSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";

const [prefix = "", count = "1", spacing = "0", jitter = "0"] = process.argv.slice(2);

function show(unit) {
  const names = "MainPID,ActiveState,ActiveEnterTimestampMonotonic";
  const { stdout } = spawnSync("systemctl", ["show", `--property=${names}`, unit], { encoding: "utf8" });
  const value = (name) => new RegExp(`^${name}=(.*)$`, "m").exec(stdout)?.[1];
  return {
    pid: Number(value("MainPID")),
    active: value("ActiveState") === "active",
    sinceMs: Number(value("ActiveEnterTimestampMonotonic")) / 1000,
  };
}

const took = [];
for (let index = 0; index < Number(count); index += 1) {
  const unit = prefix.includes("%") ? prefix.replace("%", String(index)) : prefix;
  await sleep(Number(jitter) * Math.random());
  const before = show(unit);
  const killedMs = Number(process.hrtime.bigint()) / 1e6; // CLOCK_MONOTONIC, as systemd's
  process.kill(before.pid, "SIGKILL");
  const end = performance.now() + 60_000;
  let after = before;
  while (!after.active || after.pid === before.pid) {
    if (performance.now() > end) throw new Error(`${unit} was not active again within 60 s`);
    await sleep(5);
    after = show(unit);
  }
  took.push(after.sinceMs - killedMs);
  await sleep(Number(spacing));
}
console.log(JSON.stringify(took));
