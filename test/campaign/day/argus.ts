/** Argus on the simulated host: the daemon as `argus run` puts it together, and its executor as a process of its own. */
import { createErrands } from "../../../src/cli/errands.ts";
import { createKept, createParts, openBook } from "../../../src/cli/parts.ts";
import { loadConfig } from "../../../src/config.ts";
import type { Parts } from "../../../src/cycle.ts";
import { runDaemon } from "../../../src/daemon.ts";
import { policyOf } from "../../../src/execute/policy.ts";
import { type Served, serveExecutor } from "../../../src/execute/serve.ts";
import { createSelfAlert } from "../../../src/self-alert.ts";
import { LinkLost } from "../../../src/system/link/client.ts";
import { createLog } from "../../../src/system/log.ts";
import { createServiceManager } from "../../../src/system/service-manager.ts";
import type { System } from "../../../src/system/system.ts";
import type { Config } from "../../../src/types/settings.ts";
import { watchForWakeUps } from "../../../src/wake-ups.ts";
import { environment, type Host, linkTo, paths, type SimulatedProcess } from "./host.ts";

export interface Argus {
  /** What the executor is told, as `argus pause` and `argus silence` tell it. */
  readonly executorSystem: () => System;
  start(): void;
  /** SIGTERM: the present cycle ends first. */
  stop(): void;
  kill(): void;
  reload(): void;
  /** With the host. */
  powerOff(): void;
  boot(): void;
  cycles(): number;
  failed(): number;
  bugs(): readonly string[];
}

export function createArgus(host: Host): Argus {
  let executor: { readonly its: SimulatedProcess; readonly served: Served } | null = null;
  let life: { readonly its: SimulatedProcess; readonly ending: AbortController; reload(): void } | null =
    null;
  let cycles = 0;
  let failed = 0;
  const bugs: string[] = [];

  const configFor = (system: System): Config =>
    loadConfig({ system, env: environment, workingDir: "/", programDir: "/opt/argus" });

  /** As the real one sees by the files themselves. */
  let settingsChanged = false;
  function startExecutor(): void {
    const its = host.process("argus", 4_000_000);
    const read = () => ({ policy: policyOf(configFor(its.system)), dryRun: false });
    const reread = () => {
      if (!settingsChanged) return null;
      settingsChanged = false;
      return read();
    };
    const served = serveExecutor(its.system, { ...read(), stateDir: paths.executor, reread }, () => {});
    executor = { its, served };
  }

  const link = () =>
    linkTo(
      (method, params, signal) =>
        executor === null ? Promise.reject(lost()) : executor.served.daemon(method, params, signal),
      () => host.executorAway() || executor === null,
      lost,
    );
  const lost = () => new LinkLost("connect ECONNREFUSED /run/argus/executor.sock", false);

  function start(): void {
    const its = host.process("systemd", 4_000_001);
    const { system } = its;
    const ending = new AbortController();
    let config = configFor(system);
    const kept = createKept(system, config);
    const way = link();
    const make = (): Parts => createParts(system, config, openBook(system, config), way, kept);
    let parts = make();
    let wantsReload = false;
    const log = createLog(system.files, null, (line) => {
      if (/"level":"(error|fatal)"/.test(line)) bugs.push(line.slice(0, 600));
    });
    log.level = "error";
    const errands = createErrands(() => parts, log, ending.signal, 60_000, 30_000);
    const selfAlert = createSelfAlert(log, () => void errands.send());
    const work = runDaemon({
      parts: () => {
        if (wantsReload) {
          wantsReload = false;
          config = configFor(system);
          parts = make();
        }
        return parts;
      },
      log,
      selfAlert,
      signal: ending.signal,
      manager: createServiceManager(system.run, {}, system.self.pid, () => {}),
      watch: (ring) => watchForWakeUps({ parts: () => parts, log, signal: ending.signal, ring }),
      beforeCycle: () => void errands.ping("start"),
      afterCycle: (isGood) => {
        cycles += 1;
        if (!isGood) failed += 1;
        void errands.ping(isGood ? "success" : "fail");
        errands.run().catch((error: unknown) => bugs.push(String(error)));
      },
    });
    work.catch((error: unknown) => bugs.push(String(error)));
    life = {
      its,
      ending,
      reload: () => {
        wantsReload = true;
        settingsChanged = true;
      },
    };
    host.record({ kind: "argus", subject: "argus", state: "up" });
  }

  function away(): void {
    if (life === null) return;
    life = null;
    host.record({ kind: "argus", subject: "argus", state: "down" });
  }

  return {
    executorSystem: () => {
      if (executor === null) startExecutor();
      return (executor as NonNullable<typeof executor>).its.system;
    },
    start,
    stop() {
      life?.ending.abort();
      // What it is at gets two minutes, as systemd gives it.
      const { its } = life ?? {};
      host.time.after(90_000, () => its?.kill());
      away();
    },
    kill() {
      life?.its.kill();
      away();
    },
    reload: () => life?.reload(),
    powerOff() {
      life?.its.kill();
      away();
      executor?.its.kill();
      executor = null;
    },
    boot() {
      startExecutor();
      start();
    },
    cycles: () => cycles,
    failed: () => failed,
    bugs: () => bugs,
  };
}
