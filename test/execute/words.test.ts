import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { OutboxMessage } from "../../src/types/action.ts";
import { alertOf, bench, logOf, manualClock, only, proposal } from "./support.ts";

function argusAt(policy = {}) {
  const clock = manualClock();
  return { clock, argus: bench({ system: { clock }, policy }) };
}
const key = (digit: number) => `service:${String(digit).padStart(16, "0")}`;

describe("alert", () => {
  it("waits in the outbox when the reply comes, the host's name first", async () => {
    const { argus } = argusAt();
    const record = only(await argus.run([alertOf(1, "web is failed (exit-code)")]));
    expect(record).toMatchObject({
      result: "success",
      refusal: null,
      verified: null,
      message: "web is failed (exit-code)",
      detail: "waits in the outbox as 20261120T224000000Z-0001",
      values: { outbox: "20261120T224000000Z-0001" },
    });
    expect(readdirSync(join(argus.stateDir, "outbox"))).toEqual(["20261120T224000000Z-0001.json"]);
    const [message] = argus.outbox();
    expect(OutboxMessage.parse(message)).toEqual({
      version: 1,
      id: "20261120T224000000Z-0001",
      createdAt: "2026-11-20T22:40:00.000Z",
      severity: "critical",
      text: `landmass: CRITICAL web is failed (exit-code)\nargus explain ${key(1)}`,
      problems: [key(1)],
      host: "landmass",
      notes: [
        {
          problem: key(1),
          type: "service",
          subject: "web",
          severity: "critical",
          state: "firing",
          at: "2026-11-20T22:40:00.000Z",
          summary: "web is failed (exit-code)",
          actionTaken: "none",
        },
      ],
    });
  });

  it("says what was done about it, with secrets taken out", async () => {
    const { argus } = argusAt();
    await argus.run([alertOf(1, "web is down", { actionTaken: "restart_service:web (failure)" })]);
    await argus.run([alertOf(2, "x is down", { actionTaken: "kill_tmux:--password=hunter22secret" })]);
    const taken = argus.outbox().flatMap(({ notes = [] }) => notes.map(({ actionTaken }) => actionTaken));
    expect(taken).toEqual(["restart_service:web (failure)", "kill_tmux:--password=[redacted]"]);
  });

  it("that people have already is noted and not told again, and its end is told", async () => {
    const { argus } = argusAt();
    const told = only(await argus.run([alertOf(1, "web is down", { told: true })]));
    expect(told).toMatchObject({ result: "success", detail: "was notified without the outbox" });
    expect(only(await argus.run([alertOf(1, "web is down")])).refusal).toBe("duplicate");
    await argus.run([alertOf(1, "web is down", { recovery: true })]);
    expect(argus.outbox().map(({ text }) => text.split("\n", 1)[0])).toEqual([
      "landmass: RESOLVED web is down",
    ]);
  });

  it("makes one message of all alerts of a request, the worst first", async () => {
    const { argus } = argusAt();
    const records = await argus.run([
      alertOf(1, "load is high", { severity: "info" }),
      alertOf(2, "disk is at 91 %", { severity: "warning" }),
      alertOf(3, "web is down", { lines: ["restart_service web: failed"] }),
      alertOf(4, "db is down"),
    ]);
    expect(new Set(records.map((record) => record.detail))).toEqual(
      new Set(["waits in the outbox as 20261120T224000000Z-0001, in one message with 3 others"]),
    );
    const [message, ...others] = argus.outbox();
    expect(others).toEqual([]);
    expect(message?.severity).toBe("critical");
    expect(message?.problems).toEqual([3, 4, 2, 1].map(key));
    expect(message?.text).toBe(
      [
        "landmass: 2 critical, 1 warning, 1 info",
        `CRITICAL web is down\nrestart_service web: failed\nargus explain ${key(3)}`,
        `CRITICAL db is down\nargus explain ${key(4)}`,
        `WARNING disk is at 91 %\nargus explain ${key(2)}`,
        `INFO load is high\nargus explain ${key(1)}`,
      ].join("\n\n"),
    );
  });

  it("stays short enough for one Telegram message each, and names every problem", async () => {
    const { argus } = argusAt();
    const much = Array.from({ length: 60 }, (_, index) => alertOf(index, "trouble ".repeat(900)));
    const records = await argus.run(much);
    const messages = argus.outbox();
    expect(messages.length).toBeGreaterThan(1);
    for (const { text } of messages) expect(text.length).toBeLessThanOrEqual(3800);
    expect(messages.flatMap(({ problems }) => problems)).toHaveLength(60);
    for (const { detail } of records)
      expect(detail).toMatch(/^waits in the outbox as .*, in one message with \d+ others$/);
    for (const [index, { text, problems }] of messages.entries()) {
      expect(text).toContain(
        `landmass: part ${index + 1} of ${messages.length}: ${problems.length} critical`,
      );
      for (const key of problems) expect(text).toContain(`argus explain ${key}`);
    }
  });

  it("does not let a process's name repaint anything", async () => {
    const { argus } = argusAt();
    await argus.run([alertOf(1, "foo\u001b[2J) Z 1\r\u202eevil\u0000")]);
    expect(argus.outbox()[0]?.text).toBe(
      `landmass: CRITICAL foo\\e[2J) Z 1 \\u{202e}evil\\x00\nargus explain ${key(1)}`,
    );
  });

  it("is told once in the window, and again after it", async () => {
    const { argus, clock } = argusAt();
    const tell = async () => only(await argus.run([alertOf(1, "web is down")]));
    expect((await tell()).result).toBe("success");
    clock.advance(3599);
    expect(await tell()).toMatchObject({
      result: "suppressed",
      refusal: "duplicate",
      detail: "it was announced 59 min 59 s ago as critical; the window is 1 h",
    });
    argus.restartArgus();
    expect((await tell()).refusal).toBe("duplicate");
    clock.advance(1);
    expect((await tell()).result).toBe("success");
    expect(argus.outbox()).toHaveLength(2);
  });

  it("is told however it is worded only once: the problem's key counts", async () => {
    const { argus } = argusAt();
    await argus.run([alertOf(1, "memory is at 80 %")]);
    expect(only(await argus.run([alertOf(1, "memory is at 91 %")])).refusal).toBe("duplicate");
    expect((await argus.run([alertOf(2, "a"), alertOf(2, "b")])).map((record) => record.refusal)).toEqual([
      null,
      "duplicate",
    ]);
  });

  it("is told again at once when it gets worse, not when it gets better", async () => {
    const { argus } = argusAt();
    const tell = async (severity: string) =>
      only(await argus.run([alertOf(1, "disk", { severity })])).refusal;
    expect(await tell("warning")).toBeNull();
    expect(await tell("info")).toBe("duplicate");
    expect(await tell("critical")).toBeNull();
    expect(await tell("warning")).toBe("duplicate");
    expect(await tell("critical")).toBe("duplicate");
  });

  it("is always told with a window of 0", async () => {
    const { argus } = argusAt({ dedupWindowSeconds: 0 });
    await argus.run([alertOf(1, "a")]);
    expect(only(await argus.run([alertOf(1, "a")])).result).toBe("success");
    // Of the same millisecond, and still two messages.
    expect(argus.outbox().map(({ id }) => id)).toEqual([
      "20261120T224000000Z-0001",
      "20261120T224000000Z-0002",
    ]);
  });

  it("tells the end of what was announced, once, also long after the window", async () => {
    const { argus, clock } = argusAt();
    const over = async () => only(await argus.run([alertOf(1, "web is up again", { recovery: true })]));
    expect(await over()).toMatchObject({
      result: "suppressed",
      refusal: "duplicate",
      detail: "the problem was never announced, so its end is not announced either",
    });
    await argus.run([alertOf(1, "web is down")]);
    clock.advance(86_400);
    argus.restartArgus();
    expect((await over()).result).toBe("success");
    expect(argus.outbox().at(-1)).toMatchObject({
      severity: "info",
      text: `landmass: RESOLVED web is up again\nargus explain ${key(1)}`,
    });
    expect((await over()).refusal).toBe("duplicate");
    expect(only(await argus.run([alertOf(1, "web is down again")])).result).toBe("success");
  });

  describe("of a repair that nobody was alerted to", () => {
    const repaired = (text = "web, restarted by Argus") =>
      alertOf(1, text, { recovery: true, repaired: true });

    it("is information, once an hour, and the next outage is alerted all the same", async () => {
      const { argus, clock } = argusAt();
      expect(only(await argus.run([repaired()])).result).toBe("success");
      expect(argus.outbox().at(-1)).toMatchObject({
        severity: "info",
        text: `landmass: REPAIRED web, restarted by Argus\nargus explain ${key(1)}`,
        notes: [{ severity: "info", state: "resolved", ending: "repaired" }],
      });
      clock.advance(3599);
      argus.restartArgus();
      expect(only(await argus.run([repaired()]))).toMatchObject({
        refusal: "duplicate",
        detail: "a repair of it was reported 59 min 59 s ago, which is done once an hour",
      });
      expect(only(await argus.run([alertOf(1, "web is down")])).result).toBe("success");
      // That one was alerted: this is its end, and no report of a repair.
      expect(only(await argus.run([repaired()])).result).toBe("success");
      expect(argus.outbox().at(-1)?.text).toContain("RESOLVED web");
      clock.advance(1);
      expect(only(await argus.run([repaired()])).result).toBe("success");
    });

    it("is not sent where the settings switch it off, unless its rule wants an alert whenever it fires", async () => {
      const { argus } = argusAt({ reportRepairs: false });
      expect(only(await argus.run([repaired()])).refusal).toBe("duplicate");
      expect(only(await argus.run([{ ...repaired(), asked: true }])).result).toBe("success");
    });

    it("waits while it flaps, when it was alerted", async () => {
      const { argus } = argusAt();
      await argus.run([alertOf(1, "web is down")]);
      expect(only(await argus.run([{ ...repaired(), flapping: 3 }]))).toMatchObject({
        refusal: "duplicate",
        detail: "it is flapping: its end is announced when it has been calm for an hour",
      });
      expect(only(await argus.run([repaired()])).result).toBe("success");
    });
  });

  it("of a problem that is closed says so", async () => {
    const { argus } = argusAt();
    await argus.run([alertOf(1, "web is down")]);
    await argus.run([alertOf(1, "web: a person stopped it", { recovery: true, closed: true })]);
    expect(argus.outbox().at(-1)?.text).toContain("CLOSED web: a person stopped it");
  });

  it.each([-31_536_000, 31_536_000])("keeps its window when the clock is set by %d s", async (by) => {
    const { argus, clock } = argusAt();
    await argus.run([alertOf(1, "a")]);
    clock.setWall(by);
    clock.advance(3599);
    expect(only(await argus.run([alertOf(1, "a")])).refusal).toBe("duplicate");
    clock.advance(1);
    expect(only(await argus.run([alertOf(1, "a")])).result).toBe("success");
    expect(argus.outbox()).toHaveLength(2);
  });

  it("is not held back for ever by a clock that was wrong before a reboot", async () => {
    const { argus, clock } = argusAt();
    clock.setWall(31_536_000);
    await argus.run([alertOf(1, "a")]);
    clock.setWall(-31_536_000);
    clock.reboot();
    clock.advance(3600);
    expect(only(await argus.run([alertOf(1, "a")])).result).toBe("success");
  });

  it("is not lost when the outbox cannot be written: the next cycle tells it", async () => {
    const { argus } = argusAt();
    const outbox = join(argus.stateDir, "outbox");
    writeFileSync(outbox, "a file where the folder belongs");
    const record = only(await argus.run([alertOf(1, "a")]));
    expect(record.result).toBe("failure");
    expect(record.detail).toMatch(/^failed: .*outbox/);
    rmSync(outbox);
    expect(only(await argus.run([alertOf(1, "a")])).result).toBe("success");
  });

  it("is told in a pause, and while Argus is told to stop", async () => {
    const { argus } = argusAt();
    writeFileSync(join(argus.stateDir, "pause.json"), "?");
    expect(only(await argus.run([alertOf(1, "a")], { signal: AbortSignal.abort() })).result).toBe("success");
  });

  it("is only forecast in a dry run", async () => {
    const { argus } = argusAt();
    expect(only(await argus.run([alertOf(1, "web is down")], { dryRun: true }))).toMatchObject({
      result: "skipped",
      refusal: "dry_run",
      detail: "would notify: web is down",
    });
    expect(readdirSync(argus.stateDir)).toEqual([]);
  });

  it("remembers at most a thousand problems", async () => {
    const { argus } = argusAt();
    for (let from = 0; from < 1100; from += 100) {
      await argus.run(Array.from({ length: 100 }, (_, index) => alertOf(from + index, "a")));
    }
    const { announced } = argus.state("dedup.json") as { announced: object };
    expect(Object.keys(announced)).toHaveLength(1000);
    expect(Object.keys(announced).at(-1)).toBe(key(1099));
  });
});

describe("log", () => {
  const file = (argus: ReturnType<typeof bench>) => readFileSync(argus.policy.observationsFile, "utf8");

  it("appends one line for each observation", async () => {
    const { argus } = argusAt();
    const [first] = await argus.run([
      logOf(1, "swap is at 61 %", { severity: "warning", subject: "swap" }),
      logOf(2, "load is\nhigh", { severity: "info", subject: "load\u001b[2J" }),
    ]);
    expect(first).toMatchObject({
      result: "success",
      verified: null,
      detail: `noted in ${argus.policy.observationsFile}`,
      values: { repeats: 1 },
    });
    expect(file(argus)).toBe(
      "- 2026-11-20T22:40:00Z [warning] swap: swap is at 61 %\n- 2026-11-20T22:40:00Z [info] load\\e[2J: load is high\n",
    );
  });

  it("counts repeats instead of writing them again, until the window has passed", async () => {
    const { argus, clock } = argusAt();
    const note = async () => only(await argus.run([logOf(1, "swap is full")]));
    await note();
    clock.advance(1800);
    argus.restartArgus();
    expect(await note()).toMatchObject({
      result: "success",
      detail: `counted (2 times); its line of this window stands in ${argus.policy.observationsFile} already`,
      values: { repeats: 2 },
    });
    clock.advance(1800);
    expect(await note()).toMatchObject({
      detail: `noted in ${argus.policy.observationsFile} (3 times)`,
      values: { repeats: 3 },
    });
    expect(file(argus)).toBe(
      "- 2026-11-20T22:40:00Z [critical] web: swap is full\n- 2026-11-20T23:40:00Z [critical] web: swap is full (3 times)\n",
    );
  });

  it("begins to count anew after a day without it", async () => {
    const { argus, clock } = argusAt();
    await argus.run([logOf(1, "a")]);
    clock.advance(86_400);
    expect(only(await argus.run([logOf(1, "a")])).values).toEqual({ repeats: 1, recent: 1 });
  });

  it("keeps one older file of 500 kB", async () => {
    const { argus, clock } = argusAt({ dedupWindowSeconds: 0 });
    const path = argus.policy.observationsFile;
    for (let round = 0; round < 3; round += 1) {
      writeFileSync(path, `${`- ${round} `.padEnd(99, "x")}\n`.repeat(5119));
      await argus.run([logOf(1, `round ${round}`), logOf(2, "y".repeat(100))]);
      clock.advance(60);
    }
    expect(
      readdirSync(argus.stateDir)
        .filter((name) => name.startsWith("observations.md"))
        .sort(),
    ).toEqual(["observations.md", "observations.md.1"]);
    expect(file(argus).split("\n")[0]).toMatch(/web: round 2/);
    expect(readFileSync(`${path}.1`, "utf8")).toMatch(/^- 2 x/);
  });

  it("makes the folder of the observations file", async () => {
    const { argus } = argusAt();
    const path = join(argus.stateDir, "deep/er/notes.md");
    const other = bench({ policy: { observationsFile: path } });
    expect(only(await other.run([logOf(1, "a")])).result).toBe("success");
    expect(existsSync(path)).toBe(true);
  });

  // A taken-over daemon may ask the executor, which is root, for a note: the file lies in the daemon's own folder.
  it.skipIf(process.getuid?.() !== 0)(
    "is not written by root into a folder of another user, nor through a link there",
    async () => {
      const { argus } = argusAt();
      const theirs = join(argus.stateDir, "theirs");
      const canary = join(argus.stateDir, "canary");
      mkdirSync(theirs);
      writeFileSync(canary, "sings\n");
      symlinkSync(canary, join(theirs, "observations.md"));
      chownSync(theirs, 12_345, 12_345);
      const root = bench({ policy: { observationsFile: join(theirs, "observations.md") } });
      expect(only(await root.run([logOf(1, "a")]))).toMatchObject({
        result: "failure",
        detail: expect.stringContaining(`the folder ${theirs} belongs to uid 12345, not to uid 0`),
      });
      expect(readFileSync(canary, "utf8")).toBe("sings\n");
      expect(readdirSync(theirs)).toEqual(["observations.md"]);
    },
  );

  it("is a failure, and no more, when the file cannot be written", async () => {
    const { argus } = argusAt();
    mkdirSync(argus.policy.observationsFile);
    const [note, alert] = await argus.run([logOf(1, "a"), alertOf(1, "b")]);
    expect(note?.result).toBe("failure");
    expect(alert?.result).toBe("success");
  });
});

describe("file_bead", () => {
  const bead = (digit: number, more: Record<string, unknown> = {}) =>
    proposal("file_bead", {
      source: "self",
      problem: key(digit),
      problemType: "service",
      severity: "critical",
      subject: "web",
      reason: "web is failed (exit-code)",
      message: "What: web is failed",
      lines: ["Seen: activeState = failed"],
      outage: "2026-11-20T22:40:00Z",
      ...more,
    });
  const asked = (stateDir: string) => {
    const folder = join(stateDir, "ticket-requests");
    if (!existsSync(folder)) return [];
    return readdirSync(folder).map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")));
  };

  it("asks for a ticket, and for none while that one waits", async () => {
    const { argus } = argusAt();
    expect(only(await argus.run([bead(1)]))).toMatchObject({
      result: "success",
      detail: "waits to be filed after this cycle",
    });
    expect(asked(argus.stateDir)).toMatchObject([
      {
        problem: key(1),
        title: "[argus] service: web is failed (exit-code)",
        body: `Problem key: ${key(1)}\nHost: landmass\nSeverity: critical\n\nWhat: web is failed\nSeen: activeState = failed`,
        report: null,
      },
    ]);
    expect(only(await argus.run([bead(1, { message: "worded otherwise" })]))).toMatchObject({
      result: "suppressed",
      refusal: "duplicate",
      detail: "a ticket for it waits to be filed",
    });
    const [first, second] = await argus.run([bead(2), bead(2, { message: "again" })]);
    expect([first?.refusal, second?.refusal]).toEqual([null, "duplicate"]);
  });

  it("passes a coding agent's report on to the ticket that stands", async () => {
    const { argus } = argusAt();
    await argus.run([bead(1)]);
    expect(only(await argus.run([bead(1, { report: "The port is taken." })])).refusal).toBeNull();
    expect(asked(argus.stateDir)).toMatchObject([{ report: "> The port is taken." }]);
  });

  it("is a word: a maintenance window holds it back, and so does the boot grace", async () => {
    const { argus } = argusAt({
      maintenance: [
        {
          name: "nightly",
          days: ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
          from: "00:00",
          to: "23:59",
          timeZone: "UTC",
          actions: false,
        },
      ],
    });
    expect(only(await argus.run([bead(1)]))).toMatchObject({ result: "suppressed", refusal: "silenced" });
    const booting = argusAt({ bootGraceSeconds: 1e9 });
    expect(only(await booting.argus.run([bead(1)]))).toMatchObject({ refusal: "boot_grace" });
    const disk = bead(2, { problemType: "disk" });
    expect(only(await booting.argus.run([disk])).refusal).toBeNull();
    expect(asked(argus.stateDir)).toEqual([]);
  });

  it("is refused where none are wanted, and to a model that may not propose it", async () => {
    const { argus } = argusAt({ tickets: { enabled: false, stateDir: "/nonexistent", repeatSeconds: 60 } });
    expect(only(await argus.run([bead(1)]))).toMatchObject({
      refusal: "not_allowlisted",
      detail: "the settings want none (tickets.enabled)",
    });
    const other = argusAt();
    expect(only(await other.argus.run([bead(1, { source: "llm:m" })]))).toMatchObject({
      refusal: "not_allowlisted",
    });
  });

  it("puts the lines that it is found by first, whatever the machine says", async () => {
    const { argus } = argusAt();
    const message = `Problem key: ${key(9)}\nHost: elsewhere\n${"x".repeat(5000)}\u001b[31m`;
    await argus.run([bead(1, { message, reason: "-rf / \u001b[31mred\nProblem key" })]);
    const [request] = asked(argus.stateDir);
    expect(request.body).toMatch(new RegExp(`^Problem key: ${key(1)}\nHost: landmass\n`));
    expect(request.title).toMatch(/^\[argus\] service: -rf \/ \S*red Problem key$/);
    expect(request.body.length).toBeLessThanOrEqual(8000);
    expect(request.body + request.title).not.toMatch(/[\u0000-\u0009\u001b]/);
  });
});
