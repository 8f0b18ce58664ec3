import { describe, expect, it } from "vitest";
import type { Handled } from "../../src/escalate/alerts.ts";
import { offerFor } from "../../src/escalate/candidates.ts";
import { unresolvedOf } from "../../src/escalate/unresolved.ts";
import { redactIdentity } from "../../src/system/redact/redact.ts";
import { Settings } from "../../src/types/settings.ts";
import type { Facts } from "../../src/types/snapshot.ts";
import { madeUpSecret } from "../system/made-up-secrets.ts";
import { handled, processFact, record, serviceFact, sessionFact } from "./samples.ts";

const services = [
  { unit: "web", restart: true, requires: ["db.service"] },
  { unit: "db.service", restart: true },
  { unit: "queue", restart: false },
  { unit: "report", restart: true },
];
const all = ["web", "db", "queue", "report"].map((name) => serviceFact({ name }));

function offered(found: readonly Handled[], facts: Facts, settings: Record<string, unknown> = {}) {
  const offer = offerFor(unresolvedOf(found), found, facts, {
    settings: Settings.parse({ services, ...settings }),
  });
  const deeds = offer.candidates.filter(({ type }) => type !== "alert" && type !== "log");
  return {
    offer,
    deeds: deeds.map(({ type, target }) => (target === null ? type : `${type} ${target}`)),
    withheld: offer.withheld,
  };
}

const memory = handled({
  type: "memory",
  subject: "landmass",
  condition: "full",
  summary: "memory is 95 % used",
});

describe("restart_service", () => {
  it("is offered for the unit in question and for what it requires", () => {
    expect(offered([handled()], { service: all }).deeds).toEqual([
      "restart_service web",
      "restart_service db",
    ]);
  });

  it("is offered for what requires the unit in question", () => {
    expect(offered([handled({ subject: "db" })], { service: all }).deeds).toEqual([
      "restart_service db",
      "restart_service web",
    ]);
  });

  it("is offered for the unit behind an endpoint", () => {
    const endpoint = {
      name: "site",
      url: "http://x",
      ok: false,
      status: null,
      latencyMilliseconds: null,
      error: "refused",
      service: "report",
    };
    const finding = handled({
      type: "endpoint",
      subject: "site",
      entity: { kind: "endpoint", identity: "site" },
    });
    expect(offered([finding], { service: all, endpoint: [endpoint] }).deeds).toEqual([
      "restart_service report",
    ]);
  });

  it("is offered for the unit whose process holds the memory", () => {
    const hog = processFact({ unit: "report.service", killable: false });
    expect(offered([memory], { service: all, process: [hog] }).deeds).toEqual(["restart_service report"]);
  });

  it("is never offered for a unit that the settings do not let Argus restart", () => {
    expect(offered([handled({ subject: "queue" })], { service: all }).deeds).toEqual([]);
    expect(
      offered([handled({ subject: "sshd" })], { service: [serviceFact({ name: "sshd" })] }).deeds,
    ).toEqual([]);
  });

  it("is not offered for a unit that is not installed, was not observed, or was stopped on purpose", () => {
    const stopped = [serviceFact({ stoppedByOperator: true }), serviceFact({ name: "db", installed: false })];
    const { deeds, withheld } = offered([handled()], { service: stopped });
    expect(deeds).toEqual([]);
    expect(withheld).toEqual(["restart_service web: somebody stopped it on purpose"]);
    expect(offered([handled()], {}).deeds).toEqual([]);
  });

  it("is not offered again when a rule asked for it in this cycle, whatever became of it", () => {
    const tried = handled({}, [record({ result: "skipped", refusal: "cooldown" })]);
    const { deeds, withheld } = offered([tried], { service: all });
    expect(deeds).toEqual(["restart_service db"]);
    expect(withheld).toEqual(["restart_service web: a rule asked for it in this cycle already"]);
  });

  it("is offered only for the problem it belongs to", () => {
    const { offer } = offered([handled({ subject: "report" }), memory], { service: all });
    expect(
      offer.candidates.filter(({ type }) => type === "restart_service").map(({ problems }) => problems),
    ).toEqual([[handled({ subject: "report" }).finding.key]]);
  });
});

describe("kill_pid", () => {
  const process = [
    processFact({
      pid: 1,
      name: "systemd",
      executable: "systemd",
      killable: false,
      rssBytes: 9e9,
      cpuPercent: 99,
      swapBytes: 9e9,
    }),
    processFact({ pid: 10, rssBytes: 5e9 }),
    processFact({ pid: 11, cpuPercent: 90 }),
    processFact({ pid: 12, swapBytes: 4e9, rssBytes: 1 }),
  ];

  it("is offered for what may be killed among the largest, with its start time", () => {
    const { offer, deeds } = offered([memory], { process });
    expect(deeds).toEqual(["kill_pid 10", "kill_pid 11", "kill_pid 12"]);
    expect(offer.candidates[0]?.expect).toEqual({ startTime: 777 });
  });

  it("is offered by what is short", () => {
    const swap = handled({ type: "swap", subject: "landmass", condition: "thrashing" });
    expect(offered([swap], { process }).deeds).toEqual(["kill_pid 12"]);
    const load = handled({ type: "process", subject: "landmass", condition: "load" });
    expect(offered([load], { process }).deeds).toEqual(["kill_pid 11", "kill_pid 10", "kill_pid 12"]);
  });

  it("is offered for the finding's own process alone, and only while it is the same one", () => {
    const own = (startTime: number) =>
      handled({
        type: "process",
        subject: "node --test",
        condition: "orphan",
        entity: { kind: "process", identity: `10@${startTime}` },
      });
    expect(offered([own(777)], { process }).deeds).toEqual(["kill_pid 10"]);
    expect(offered([own(778)], { process }).deeds).toEqual([]);
  });

  it("is offered where the kernel ended a unit for want of memory: as systemd says, and not as a name or an error has it", () => {
    const service = [serviceFact({ name: "batch", result: "oom-kill" }), serviceFact()];
    const batch = handled({ subject: "batch", summary: "batch failed (oom-kill)" });
    expect(offered([batch], { process, service }).deeds).toEqual([
      "kill_pid 10",
      "kill_pid 11",
      "kill_pid 12",
    ]);
    const named = handled({ summary: "web failed (exit-code) after oom-kill-all.service" });
    expect(offered([named], { process, service }).deeds).toEqual(["restart_service web"]);
    const told = handled({
      type: "endpoint",
      subject: "site",
      summary: "site is unreachable: oom-kill",
      entity: { kind: "endpoint", identity: "site" },
    });
    expect(offered([told], { process, service }).deeds).toEqual([]);
  });

  it("is not offered where nothing is short", () => {
    expect(offered([handled()], { process, service: [] }).deeds).toEqual([]);
  });

  it("is offered for at most eight of thousands", () => {
    const many = Array.from({ length: 5000 }, (_, index) =>
      processFact({ pid: 1000 + index, rssBytes: index }),
    );
    expect(offered([memory], { process: many }).deeds).toHaveLength(8);
  });
});

describe("kill_tmux", () => {
  const stale = (name: string, socket = "/tmp/agents.sock") =>
    handled({
      type: "session",
      subject: name,
      condition: "stale",
      entity: { kind: "session", identity: `${socket}:${name}` },
    });

  it("is offered for a watched session that a finding is about, with its socket", () => {
    const { offer, deeds } = offered([stale("agent-1")], {
      session: [sessionFact(), sessionFact({ name: "agent-2" })],
    });
    expect(deeds).toEqual(["kill_tmux agent-1"]);
    expect(offer.candidates[0]?.expect).toEqual({ socket: "/tmp/agents.sock" });
  });

  it.each([
    ["somebody is attached", { attached: true }],
    ["its socket is not watched", { watched: false }],
    ["its name could be more than a name", { name: "a:b" }],
    ["its name begins like an option", { name: "-t" }],
  ])("is not offered when %s", (_, more) => {
    const session = sessionFact(more);
    expect(offered([stale(session.name)], { session: [session] }).deeds).toEqual([]);
  });

  it("is not offered when the name stands for two sessions", () => {
    const session = [sessionFact(), sessionFact({ socket: "/tmp/other.sock" })];
    expect(offered([stale("agent-1")], { session }).deeds).toEqual([]);
  });
});

describe("a target whose name holds a secret", () => {
  it("is not offered, and the briefing is told why, without it", () => {
    const name = `agent-${madeUpSecret("github", 5)}`;
    const session = sessionFact({ name });
    const identity = redactIdentity(`${session.socket}:${name}`);
    expect(identity).not.toContain(name);
    const found = handled({ type: "session", subject: "x", entity: { kind: "session", identity } });
    const { deeds, withheld } = offered([found], { session: [session, sessionFact()] });
    expect(deeds).toEqual([]);
    expect(withheld).toEqual([
      "kill_tmux of agent-[redacted]: its name holds a secret, so it cannot be named here",
    ]);
  });
});

describe("clean_disk", () => {
  const diskFact = {
    device: "/dev/vda1",
    type: "ext4",
    totalBytes: 100,
    usedBytes: 95,
    availableBytes: 5,
    usedPercent: 95,
    inodesUsedPercent: null,
    fullInHours: null,
  };
  const full = handled({
    type: "disk",
    subject: "/",
    condition: "full",
    entity: { kind: "disk", identity: "/" },
  });

  it("is offered for the disks that the problems are about, each with its own", () => {
    const other = handled({
      type: "disk",
      subject: "/srv",
      condition: "full",
      entity: { kind: "disk", identity: "/srv" },
    });
    const { offer, deeds } = offered([full, other], {});
    expect(deeds).toEqual(["clean_disk /", "clean_disk /srv"]);
    expect(offer.candidates[0]?.problems).toEqual([full.finding.key]);
  });

  it("is not offered for a disk on which nothing may be cleaned, and the model is told why", () => {
    const disk = [{ ...diskFact, mount: "/", cleanableRoots: [] }];
    const { offer, deeds } = offered([full], { disk });
    expect(deeds).toEqual([]);
    expect(offer.withheld).toEqual(["clean_disk /: nothing on / is in the safelist of the cleaning"]);
    const roots = [{ ...diskFact, mount: "/", cleanableRoots: ["/tmp", "/var/log"] }];
    expect(offered([full], { disk: roots }).offer.candidates[0]?.about).toBe(
      "removes what is old and unused below /tmp, /var/log",
    );
  });

  it("is offered for nothing else, and not again in a cycle", () => {
    expect(offered([memory], {}).deeds).toEqual([]);
    const cleaned = { ...full, actions: [record({ type: "clean_disk", target: "/", result: "success" })] };
    expect(offered([cleaned], {}).deeds).toEqual([]);
  });
});

describe("the settings", () => {
  it("take every action away that the model may not propose", () => {
    const facts = { service: all, process: [processFact()] };
    const may = (mayPropose: string[]) =>
      offered([handled(), memory], facts, { model: { mayPropose } }).offer.candidates.map(({ type }) => type);
    expect(new Set(may(["kill_pid"]))).toEqual(new Set(["kill_pid"]));
    expect(may([])).toEqual([]);
    expect(may(["alert", "log"])).toEqual(["alert", "log"]);
  });

  it("leave nothing to offer when rules resolved all", () => {
    expect(offered([handled({ resolves: true })], { service: all }).offer.candidates).toEqual([]);
  });
});
