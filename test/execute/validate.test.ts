import { describe, expect, it } from "vitest";
import { bench, only, proposal } from "./support.ts";

const good = { restart: { target: "web" }, kill: { target: 4242, expect: { startTime: 7 } } };
const without = (key: string): Record<string, unknown> => {
  const whole = proposal("restart_service", good.restart);
  delete whole[key];
  return whole;
};
const unit = "restart_service: target must be the name of a unit";
const pid = "kill_pid: target must be a process id: a whole number from 1 to 4194304";
const start = "kill_pid: expect.startTime is missing: a pid alone may be another process by now";
const session =
  "kill_tmux: target must be the name of a session, of letters, digits, dots, dashes and underscores";
const mountPoint = "clean_disk: target must be the mount point of a file system, such as /";
const socket = "kill_tmux: expect.socket is missing: the same name may be another session on another socket";

const bad: [string, unknown, string][] = [
  ["nothing", null, "the proposal is not an object"],
  ["text", "restart everything", "the proposal is not an object"],
  ["a list", [], "the proposal is not an object"],
  ["an empty object", {}, "type is missing"],
  ["no source", without("source"), "source is missing"],
  ["no problem", without("problem"), "problem is missing"],
  ["no severity", without("severity"), "severity is missing"],
  [
    "an unknown key",
    proposal("restart_service", { ...good.restart, shell: "rm -rf /" }),
    "the proposal has an unknown key: shell",
  ],
  [
    "an unknown key with an escape sequence",
    proposal("log", { message: "m", "a\u001b[2Jb": 1 }),
    "the proposal has an unknown key: a\\e[2Jb",
  ],
  ["a number for a type", proposal("x", { type: 7 }), "type must be text of 1 to 64 characters"],
  ["an overlong type", proposal("x".repeat(65)), "type must be text of 1 to 64 characters"],
  [
    "an overlong target",
    proposal("restart_service", { target: "x".repeat(257) }),
    "target must be text of 1 to 256 characters or a whole number",
  ],
  [
    "a list of targets",
    proposal("restart_service", { target: ["web", "db"] }),
    "target must be text of 1 to 256 characters or a whole number",
  ],
  [
    "a broken number",
    proposal("kill_pid", { target: 1.5 }),
    "target must be text of 1 to 256 characters or a whole number",
  ],
  [
    "an empty target",
    proposal("restart_service", { target: "" }),
    "target must be text of 1 to 256 characters or a whole number",
  ],
  [
    "an overlong message",
    proposal("alert", { message: "x".repeat(8193) }),
    "message must be text of 1 to 8192 characters",
  ],
  [
    "an unknown source",
    proposal("log", { message: "m", source: "cron" }),
    "source must be `rule:NAME`, `llm:MODEL`, `operator` or `self`",
  ],
  [
    "a source of two lines",
    proposal("log", { message: "m", source: "rule:x\ny" }),
    "source must be `rule:NAME`, `llm:MODEL`, `operator` or `self`",
  ],
  [
    "a source with an escape sequence",
    proposal("log", { message: "m", source: "rule:\u001b[2J" }),
    "source must be `rule:NAME`, `llm:MODEL`, `operator` or `self`",
  ],
  [
    "a key that is none",
    proposal("log", { message: "m", problem: "service:web" }),
    "problem must be a problem key such as `service:3f1c0c9a5d2e7b40`",
  ],
  [
    "an unknown kind",
    proposal("log", { message: "m", problemType: "weather" }),
    "problemType is not one of the kinds of problems",
  ],
  [
    "an unknown severity",
    proposal("log", { message: "m", severity: "urgent" }),
    "severity must be critical, warning or info",
  ],
  [
    "an overlong subject",
    proposal("log", { message: "m", subject: "x".repeat(1025) }),
    "subject must be text of at most 1024 characters",
  ],
  [
    "an overlong reason",
    proposal("log", { message: "m", reason: "x".repeat(2049) }),
    "reason must be text of at most 2048 characters",
  ],
  ["text for a flag", proposal("alert", { message: "m", recovery: "yes" }), "recovery must be true or false"],
  [
    "text for an expectation",
    proposal("kill_pid", { target: 4242, expect: "7" }),
    "expect must be an object",
  ],
  [
    "an unknown expectation",
    proposal("kill_pid", { target: 4242, expect: { startTime: 7, force: true } }),
    "expect has an unknown key: force",
  ],
  [
    "a negative start time",
    proposal("kill_pid", { target: 4242, expect: { startTime: -1 } }),
    "expect.startTime must be a whole number that is not negative",
  ],
  [
    "a number for a socket",
    proposal("kill_tmux", { target: "a", expect: { socket: 7 } }),
    "expect.socket must be text",
  ],

  ["a restart of nothing", proposal("restart_service"), unit],
  ["a restart of a number", proposal("restart_service", { target: 7 }), unit],
  ["a restart of a path", proposal("restart_service", { target: "/etc/passwd" }), unit],
  ["a restart of a path upwards", proposal("restart_service", { target: "../web" }), unit],
  ["a restart of an option", proposal("restart_service", { target: "--force" }), unit],
  ["a restart of two units", proposal("restart_service", { target: "web db" }), unit],
  ["a restart of two lines", proposal("restart_service", { target: "web\n" }), unit],
  ["a restart with a NUL", proposal("restart_service", { target: "web\u0000" }), unit],
  ["a restart of a pattern", proposal("restart_service", { target: "*" }), unit],
  ["a restart of a command", proposal("restart_service", { target: "web;reboot" }), unit],
  ["a restart of a look-alike", proposal("restart_service", { target: "wеb" }), unit],

  ["a kill of nothing", proposal("kill_pid", { expect: { startTime: 7 } }), pid],
  ["a kill of a numeric text", proposal("kill_pid", { target: "4242", expect: { startTime: 7 } }), pid],
  ["a kill of a process group", proposal("kill_pid", { target: -4242, expect: { startTime: 7 } }), pid],
  ["a kill of everything", proposal("kill_pid", { target: -1, expect: { startTime: 7 } }), pid],
  ["a kill of pid 0", proposal("kill_pid", { target: 0, expect: { startTime: 7 } }), pid],
  ["a kill beyond all pids", proposal("kill_pid", { target: 4_194_305, expect: { startTime: 7 } }), pid],
  ["a kill by name", proposal("kill_pid", { target: "node", expect: { startTime: 7 } }), pid],
  ["a kill without an expectation", proposal("kill_pid", { target: 4242 }), start],
  ["a kill without a start time", proposal("kill_pid", { target: 4242, expect: {} }), start],

  ["a session without a name", proposal("kill_tmux", { expect: { socket: "/s" } }), session],
  ["a session that is an option", proposal("kill_tmux", { target: "-a", expect: { socket: "/s" } }), session],
  ["a session and a window", proposal("kill_tmux", { target: "a:1", expect: { socket: "/s" } }), session],
  ["a session by id", proposal("kill_tmux", { target: "$1", expect: { socket: "/s" } }), session],
  ["a session by pattern", proposal("kill_tmux", { target: "a*", expect: { socket: "/s" } }), session],
  [
    "an overlong session",
    proposal("kill_tmux", { target: "a".repeat(129), expect: { socket: "/s" } }),
    session,
  ],
  ["a session by number", proposal("kill_tmux", { target: 7, expect: { socket: "/s" } }), session],
  ["a session without a socket", proposal("kill_tmux", { target: "a" }), socket],
  ["a session with an empty expectation", proposal("kill_tmux", { target: "a", expect: {} }), socket],

  [
    "a cleaning of no disk",
    proposal("clean_disk"),
    "clean_disk: target is missing; it names the mount point whose disk is to be cleaned",
  ],
  ["a cleaning of a number", proposal("clean_disk", { target: 7 }), mountPoint],
  ["a cleaning of a name", proposal("clean_disk", { target: "data" }), mountPoint],
  ["a cleaning of a way around", proposal("clean_disk", { target: "/data/../home" }), mountPoint],
  ["a cleaning of a folder's inside", proposal("clean_disk", { target: "/data/" }), mountPoint],
  ["a cleaning of two lines", proposal("clean_disk", { target: "/data\n/" }), mountPoint],
  [
    "an alert with a target",
    proposal("alert", { target: "me", message: "m" }),
    "alert: target must be left out",
  ],
  ["an alert without words", proposal("alert"), "alert: message is missing"],
  [
    "an alert of nothing readable",
    proposal("alert", { message: "\u0000\n\u202e " }),
    "alert: message holds no readable character",
  ],
  ["a note without words", proposal("log"), "log: message is missing"],
];

describe("a proposal that is none is refused, with a sentence", () => {
  it.each(bad)("%s", async (_, raw, sentence) => {
    const argus = bench();
    const record = only(await argus.run([raw]));
    expect(record).toMatchObject({
      result: "skipped",
      refusal: "invalid",
      verified: null,
      steps: [],
      detail: sentence,
    });
    expect(argus.outbox()).toEqual([]);
  });

  it("an action that does not exist", async () => {
    const record = only(await bench().run([proposal("reboot_host")]));
    expect(record).toMatchObject({
      type: "reboot_host",
      refusal: "unknown_action",
      detail:
        "there is no action reboot_host; there are restart_service, kill_pid, kill_tmux, clean_disk, hand_off, file_bead, alert, log",
    });
  });

  it("an action out of the language's own cupboard", async () => {
    for (const type of ["__proto__", "constructor", "toString"]) {
      expect(only(await bench().run([proposal(type)])).refusal).toBe("unknown_action");
    }
  });

  it("keeps what can be said about it, cleaned and cut to length", async () => {
    const record = only(
      await bench().run([{ type: `a\u001b[31m${"b".repeat(100)}`, source: 7, problem: "p" }]),
    );
    expect(record).toMatchObject({
      type: `a\\e[31m${"b".repeat(56)}…`,
      target: null,
      source: "",
      problem: "p",
    });
  });

  it("does not keep the good ones from being done", async () => {
    const argus = bench();
    const records = await argus.run([null, proposal("alert", { message: "told" }), { type: 1 }]);
    expect(records.map((record) => record.result)).toEqual(["skipped", "success", "skipped"]);
    expect(argus.outbox()).toHaveLength(1);
  });
});

describe("what the model may ask for", () => {
  const llm = { source: "llm:haiku" };

  it("only targets that were offered to it", async () => {
    const argus = bench({ path: "/nonexistent" });
    const candidates = { restart_service: ["web"], kill_pid: [4242] };
    const records = await argus.run(
      [
        proposal("restart_service", { target: "api", ...llm }),
        proposal("kill_pid", { target: 4243, expect: { startTime: 7 }, ...llm }),
        proposal("kill_pid", { target: 4_194_304, expect: { startTime: 7 }, ...llm }),
      ],
      { candidates },
    );
    expect(records.map(({ refusal, detail }) => [refusal, detail])).toEqual([
      ["not_a_candidate", "api was not offered to the model as a target of restart_service"],
      ["not_a_candidate", "4243 was not offered to the model as a target of kill_pid"],
      ["not_a_candidate", "4194304 was not offered to the model as a target of kill_pid"],
    ]);
  });

  it("no target at all when none was offered", async () => {
    const records = await bench().run([proposal("restart_service", { target: "web", ...llm })]);
    expect(only(records).refusal).toBe("not_a_candidate");
  });

  it("only actions that the settings let it propose", async () => {
    const argus = bench({ policy: { modelMayPropose: ["alert"] } });
    const [log, alert] = await argus.run([
      proposal("log", { message: "m", ...llm }),
      proposal("alert", { message: "m", ...llm }),
    ]);
    expect(log).toMatchObject({
      refusal: "not_allowlisted",
      detail: "the settings do not let the model propose log (model.mayPropose)",
    });
    expect(alert?.result).toBe("success");
  });

  it("nothing that the settings forbid, offered or not", async () => {
    const records = await bench().run([proposal("restart_service", { target: "sshd", ...llm })], {
      candidates: { restart_service: ["sshd"] },
    });
    expect(only(records).refusal).toBe("not_allowlisted");
  });
});
