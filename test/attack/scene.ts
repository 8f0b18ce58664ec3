/** A machine on which something is wrong in five ways, and on which one place holds what an attacker wrote. */
import type { Handled } from "../../src/escalate/alerts.ts";
import { entityIdentity } from "../../src/types/facts.ts";
import type { Facts } from "../../src/types/snapshot.ts";
import { handled, processFact, serviceFact, sessionFact } from "../escalate/samples.ts";
import { type ModelMachine, orphanPids, socket } from "../execute/model-machine.ts";

/** Where the attacker's text stands: each is a place that somebody else than the operator writes. */
export const places = [
  "command line",
  "process name",
  "user and container",
  "unit name",
  "journal",
  "tmux session",
  "endpoint error",
  "mount point",
] as const;
export type Place = (typeof places)[number];

export function scene(place: Place, text: string, machine: ModelMachine): { facts: Facts; found: Handled[] } {
  const at = <T>(wanted: Place, hostile: T, otherwise: T): T => (place === wanted ? hostile : otherwise);
  const [pid = 0] = orphanPids;
  const process = processFact({
    pid,
    startTime: machine.startTimeOf(pid),
    name: at("process name", text, "node"),
    commandLine: at("command line", `node ${text}`, "node --test"),
    arguments: ["node", at("command line", text, "--test")],
    user: at("user and container", text, "deploy"),
    container: at("user and container", text, null),
  });
  const unit = at("unit name", text, "web");
  const session = at("tmux session", text, "one");
  const facts: Facts = {
    process: [process],
    service: [serviceFact(), serviceFact({ name: unit, restartable: false })],
    session: [...new Set(["one", session])].map((name) => sessionFact({ socket, name })),
    endpoint: [
      {
        name: "api",
        url: "http://127.0.0.1:9000/",
        ok: false,
        status: null,
        latencyMilliseconds: null,
        error: at("endpoint error", text, "connection refused"),
        service: null,
        watched: true,
      } as never,
    ],
    disk: [
      {
        mount: at("mount point", text, "/data"),
        device: "/dev/sda1",
        type: "ext4",
        usedPercent: 99,
      } as never,
    ],
  };
  const identity = entityIdentity("process", process);
  const found = [
    handled({ summary: `${unit} failed`, subject: unit, entity: { kind: "service", identity: unit } }),
    handled({
      type: "process",
      subject: process.name,
      condition: "odd",
      summary: `${process.name} runs ${process.commandLine}`,
      entity: { kind: "process", identity },
    }),
    handled({
      type: "session",
      subject: session,
      condition: "stale",
      summary: `session ${session} is stale`,
      entity: {
        kind: "session",
        identity: entityIdentity("session", sessionFact({ socket, name: session })),
      },
    }),
    handled({ type: "disk", subject: at("mount point", text, "/data"), condition: "full", entity: null }),
    handled({
      type: "endpoint",
      subject: "api",
      condition: "down",
      entity: { kind: "endpoint", identity: "api" },
    }),
  ];
  return { facts, found };
}
