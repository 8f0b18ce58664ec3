/** The states of a unit that Argus meets, and how a host gets into each of them. */
import type { Host } from "./harness.ts";

export interface UnitCase {
  /** Also the unit's name and that of its fixtures. */
  readonly name: string;
  /** What happened to it. */
  readonly what: string;
  /** The unit file; without one there is none. */
  readonly file?: string;
  /** Commands that bring it about, each awaited. `PID` stands for the main process; what begins with `-` may fail. */
  readonly steps: readonly string[];
  /**
   * LoadState ActiveState SubState Result UnitFileState: it is waited for. A unit that is to be enabled is enabled
   * first. One that nothing refers to is forgotten by systemd, with its time stamps, as soon as it is inactive.
   */
  readonly settles: string;
  /** Whether somebody asked for it to stop; left out where nobody would ask that. */
  readonly requested?: boolean;
}

const unit = (service: string, more = "") =>
  `[Unit]\nDescription=Argus test unit\n${more}\n[Service]\n${service}\n[Install]\nWantedBy=multi-user.target\n`;
const sleeps = "ExecStart=/bin/sleep infinity";
const ignoresTerm = "ExecStart=/bin/sh -c 'trap \"\" TERM; while :; do sleep 1; done'\nTimeoutStopSec=60";

export const unitCases: readonly UnitCase[] = [
  {
    name: "active",
    what: "it runs",
    file: unit(sleeps),
    steps: ["systemctl start active"],
    settles: "loaded active running success enabled",
  },
  {
    name: "exited",
    what: "a oneshot that is done and counts as active",
    file: unit("Type=oneshot\nExecStart=/bin/true\nRemainAfterExit=yes"),
    steps: ["systemctl start exited"],
    settles: "loaded active exited success enabled",
  },
  {
    name: "killed",
    what: "kill -9 of its main process",
    file: unit(sleeps),
    steps: ["systemctl start killed", "kill -9 PID"],
    settles: "loaded failed failed signal enabled",
    requested: false,
  },
  {
    name: "exit-code",
    what: "it ended with status 3",
    file: unit("ExecStart=/bin/sh -c 'exit 3'"),
    steps: ["systemctl start exit-code"],
    settles: "loaded failed failed exit-code enabled",
    requested: false,
  },
  {
    name: "start-limit",
    what: "it ended, and was started again by systemd, too often",
    file: unit(
      "ExecStart=/bin/false\nRestart=always\nRestartSec=0",
      "StartLimitBurst=3\nStartLimitIntervalSec=60",
    ),
    steps: ["systemctl start start-limit"],
    settles: "loaded failed failed exit-code enabled",
    requested: false,
  },
  {
    name: "start-limit-hit",
    what: "it ended, and was started again by hand, too often",
    file: unit("Type=oneshot\nExecStart=/bin/true", "StartLimitBurst=1\nStartLimitIntervalSec=600"),
    steps: ["systemctl start start-limit-hit", "-systemctl start start-limit-hit"],
    settles: "loaded failed failed start-limit-hit enabled",
    requested: false,
  },
  {
    name: "start-timeout",
    what: "it never said that it is ready",
    file: unit(`Type=notify\n${sleeps}\nTimeoutStartSec=1`),
    steps: ["-systemctl start start-timeout"],
    settles: "loaded failed failed timeout enabled",
    requested: false,
  },
  {
    name: "stopped",
    what: "systemctl stop",
    file: unit(sleeps),
    steps: ["systemctl start stopped", "systemctl stop stopped"],
    settles: "loaded inactive dead success enabled",
    requested: true,
  },
  {
    name: "stopped-disabled",
    what: "systemctl stop of a unit that nothing refers to",
    file: unit(sleeps),
    steps: ["systemctl start stopped-disabled", "systemctl stop stopped-disabled"],
    settles: "loaded inactive dead success disabled",
    requested: true,
  },
  {
    name: "stopped-failing",
    what: "systemctl stop of a service that ends with status 1 when it is asked to end",
    file: unit("ExecStart=/bin/sh -c 'trap \"exit 1\" TERM; while :; do sleep 0.1; done'"),
    steps: ["systemctl start stopped-failing", "systemctl stop stopped-failing"],
    settles: "loaded failed failed exit-code enabled",
    requested: true,
  },
  {
    name: "stopped-waiting",
    what: "systemctl stop while it waited for its automatic restart",
    file: unit("ExecStart=/bin/false\nRestart=always\nRestartSec=60"),
    steps: ["systemctl start stopped-waiting", "sleep 0.3", "systemctl stop stopped-waiting"],
    settles: "loaded inactive dead exit-code enabled",
    requested: true,
  },
  {
    name: "stopped-dependent",
    what: "systemctl stop of the unit that it requires",
    file: unit(sleeps, "Requires=stopped-required.service\nAfter=stopped-required.service"),
    steps: ["systemctl start stopped-dependent", "systemctl stop stopped-required"],
    settles: "loaded inactive dead success enabled",
    requested: true,
  },
  {
    name: "clean-exit",
    what: "it ended by itself with status 0",
    file: unit("ExecStart=/bin/true"),
    steps: ["systemctl start clean-exit"],
    settles: "loaded inactive dead success enabled",
    requested: false,
  },
  {
    name: "clean-exit-disabled",
    what: "it ended by itself with status 0, and nothing refers to it",
    file: unit("ExecStart=/bin/true"),
    steps: ["systemctl start clean-exit-disabled"],
    settles: "loaded inactive dead success disabled",
    requested: false,
  },
  {
    name: "terminated",
    what: "kill of its main process, which systemd takes for a clean end",
    file: unit(sleeps),
    steps: ["systemctl start terminated", "kill PID"],
    settles: "loaded inactive dead success enabled",
    requested: false,
  },
  {
    name: "restarted-killed",
    what: "systemctl restart, then kill -9",
    file: unit(sleeps),
    steps: ["systemctl start restarted-killed", "systemctl restart restarted-killed", "kill -9 PID"],
    settles: "loaded failed failed signal enabled",
    requested: false,
  },
  {
    name: "started-again-killed",
    what: "systemctl stop, systemctl start, then kill -9",
    file: unit(sleeps),
    steps: [
      "systemctl start started-again-killed",
      "systemctl stop started-again-killed",
      "systemctl start started-again-killed",
      "kill -9 PID",
    ],
    settles: "loaded failed failed signal enabled",
    requested: false,
  },
  {
    name: "killed-stopped",
    what: "kill -9, then systemctl stop: there is nothing to stop, and it stays failed",
    file: unit(sleeps),
    steps: ["systemctl start killed-stopped", "kill -9 PID", "systemctl stop killed-stopped"],
    settles: "loaded failed failed signal enabled",
    requested: false,
  },
  {
    name: "auto-restart",
    what: "it ended, and waits for its automatic restart",
    file: unit("ExecStart=/bin/false\nRestart=always\nRestartSec=600"),
    steps: ["systemctl start auto-restart"],
    settles: "loaded activating auto-restart exit-code enabled",
  },
  {
    name: "starting",
    what: "it has not said yet that it is ready",
    file: unit(`Type=notify\n${sleeps}\nTimeoutStartSec=600`),
    steps: ["systemctl start --no-block starting"],
    settles: "loaded activating start success enabled",
  },
  {
    name: "stopping",
    what: "systemctl stop, and it takes its time",
    file: unit(ignoresTerm),
    steps: ["systemctl start stopping", "sleep 0.3", "systemctl stop --no-block stopping"],
    settles: "loaded deactivating stop-sigterm success enabled",
    requested: true,
  },
  {
    name: "masked",
    what: "systemctl mask, while it was not running",
    steps: ["systemctl mask masked"],
    settles: "masked inactive dead success masked",
    requested: true,
  },
  {
    name: "masked-failed",
    what: "kill -9, then systemctl mask",
    file: unit(sleeps),
    steps: ["systemctl start masked-failed", "kill -9 PID", "systemctl mask masked-failed"],
    settles: "masked failed failed signal masked",
    requested: true,
  },
  {
    name: "disabled",
    what: "installed, and never started",
    file: unit(sleeps),
    steps: [],
    settles: "loaded inactive dead success disabled",
    requested: false,
  },
  {
    name: "bad-setting",
    what: "its file has no ExecStart",
    file: unit("Restart=always"),
    steps: [],
    settles: "bad-setting inactive dead success disabled",
    requested: false,
  },
  {
    name: "not-found",
    what: "there is no such unit",
    steps: [],
    settles: "not-found inactive dead success ",
    requested: false,
  },
];

/** All of them on one host, at once. Their files lie where packages have theirs: a file in /etc cannot be masked. */
export async function bringAbout(host: Host, cases: readonly UnitCase[]): Promise<void> {
  const files = [...cases, { name: "stopped-required", file: unit(sleeps) }];
  for (const { name, file } of files) {
    if (file !== undefined) host.write(`/usr/lib/systemd/system/${name}.service`, file);
  }
  const enabled = cases.filter(({ settles }) => settles.endsWith(" enabled"));
  // One call, because each reloads systemd, which then answers nobody.
  await succeed(host, ["systemctl", "enable", ...enabled.map(({ name }) => name)]);
  await succeed(host, ["systemctl", "daemon-reload"]);
  // To mask reloads systemd, and a reload begins the count of starts for the start limit again.
  const masks = ({ steps }: UnitCase) => steps.some((step) => step.startsWith("systemctl mask"));
  await Promise.all(cases.filter((each) => !masks(each)).map((each) => bring(host, each)));
  await Promise.all(cases.filter(masks).map((each) => bring(host, each)));
}

async function bring(host: Host, { name, steps, settles }: UnitCase): Promise<void> {
  const show = async () => properties((await host.exec(["systemctl", "show", `${name}.service`])).stdout);
  for (const step of steps) {
    const argv = step.replace(/^-/, "").split(" ");
    if (step.startsWith("-")) await host.exec(argv);
    else if (!argv.includes("PID")) await succeed(host, argv);
    else {
      const pid = (await show()).get("MainPID") ?? "";
      await succeed(
        host,
        argv.map((word) => (word === "PID" ? pid : word)),
      );
      await host.waitFor(async () => (await show()).get("MainPID") === "0", 5_000, `${name} to end`);
    }
  }
  let seen = "";
  const settled = async () => {
    const now = await show();
    seen = stateProperties.map((each) => now.get(each) ?? "").join(" ");
    return seen === settles;
  };
  await host.waitFor(settled, 8_000, `${name} to be "${settles}"`).catch((error: Error) => {
    throw new Error(`${error.message} It is "${seen}".`);
  });
}

async function succeed(host: Host, argv: readonly string[]): Promise<void> {
  const result = await host.exec(argv);
  if (result.exitCode !== 0) throw new Error(`${argv.join(" ")}: ${result.stderr}`);
}

export const stateProperties = ["LoadState", "ActiveState", "SubState", "Result", "UnitFileState"];

/** Of one unit, out of `systemctl show`: it prints them in an order of its own, whatever it was asked for. */
export function properties(text: string): Map<string, string> {
  return new Map(
    text.split("\n").map((line) => [line.split("=", 1)[0] ?? "", line.slice(line.indexOf("=") + 1)]),
  );
}
