/** What bd and br may answer, and what a desk makes of answers that nobody foresaw. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { complaint, isAbout, parseCreated, parseIssues } from "../../src/notify/tickets/answers.ts";
import { createTicketDesk } from "../../src/notify/tickets/desk.ts";
import { createSystem } from "../../src/system/machine.ts";
import { putTicketRequest, readTicketBook } from "../../src/system/ticket-book.ts";
import type { Problem } from "../../src/types/problem.ts";
import type { Config } from "../../src/types/settings.ts";
import type { TicketRequest } from "../../src/types/ticket.ts";
import { problem as problemOf } from "../report/views.ts";
import { fakeBeads, type Mood } from "../support/beads.ts";
import { folder } from "../support/world.ts";

const key = "service:3f1c0c9a5d2e7b40";
const body = `Problem key: ${key}\nHost: landmass\nSeverity: critical\n\nweb is down`;
const issue = { id: "bd-1", title: "[argus] service: web", description: body, status: "open" };
const plain = [{ id: "bd-1", description: body }];

describe("a list", () => {
  it.each<[string, string, { id: string | null; description: string }[] | null]>([
    ["is an array", JSON.stringify([issue]), plain],
    ["has an envelope", JSON.stringify({ schema_version: 1, data: [issue] }), plain],
    ["is counted", JSON.stringify({ issues: [issue], total: 1 }), plain],
    [
      "is counted within an envelope",
      JSON.stringify({ schema_version: 2, data: { issues: [issue] } }),
      plain,
    ],
    ["comes after a warning", `Warning: old schema\n${JSON.stringify([issue])}\n`, plain],
    ["is empty", "[]", []],
    ["is null, as Go writes an empty one", "null", []],
    ["is null in an envelope", '{"schema_version":1,"data":null}', []],
    ["is no output at all", "", []],
    ["has no descriptions", '[{"id":"bd-1"}]', [{ id: "bd-1", description: "" }]],
    [
      "has a description that is null",
      '[{"id":"bd-1","description":null}]',
      [{ id: "bd-1", description: "" }],
    ],
    ["has entries that are none", JSON.stringify([7, null, "x", {}, { id: 9 }, issue]), plain],
    ["is cut off", JSON.stringify([issue]).slice(0, -5), null],
    ["is an error object", '{"error":"no database"}', null],
    ["is a number", "17", null],
    ["is prose", "No issues found.", null],
    ["is coloured", `\u001b[32m${JSON.stringify([issue])}\u001b[0m`, null],
    ["is of another kind", '{"data":[{"id":"bd-1"}]}', null],
  ])("that %s", (_, text, wanted) => {
    expect(parseIssues(text)).toEqual(wanted);
  });

  it.each([
    "--help",
    "-r",
    "bd-1; rm -rf /",
    "$(reboot)",
    "`id`",
    "bd-1\nbd-2",
    "\u001b[31mbd-1",
    "../../etc/passwd",
    "",
    " bd-1",
    "b".repeat(200),
  ])("with the id %j names an issue that is never called by it", (id) => {
    expect(parseIssues(JSON.stringify([{ ...issue, id }]))).toEqual([{ id: null, description: body }]);
    expect(parseCreated(JSON.stringify({ ...issue, id }))).toBeNull();
  });

  it("of any text is a list or none, and nothing is thrown", () => {
    const text = fc.oneof(
      fc.string(),
      fc.json(),
      fc.json().map((json) => `{"schema_version":1,"data":${json}}`),
    );
    fc.assert(
      fc.property(text, text, (stdout, stderr) => {
        for (const { id } of parseIssues(stdout) ?? []) expect(id ?? "a").toMatch(/^[A-Za-z0-9][\w.-]*$/);
        expect(parseCreated(stdout) ?? "a").toMatch(/^[A-Za-z0-9][\w.-]*$/);
        expect(typeof complaint(stdout, stderr)).toBe("string");
      }),
    );
  });
});

describe("a ticket is about a problem", () => {
  it.each<[string, string, boolean]>([
    ["of this host", body, true],
    ["with text before and after", `Edited by Alice\n${body}\nmore`, true],
    ["with other line ends", body.replaceAll("\n", "\r\n"), true],
    ["that names no host", `Problem key: ${key}`, true],
    ["of another host", body.replace("landmass", "elsewhere"), false],
    ["with another key", body.replace("3f1c", "0000"), false],
    ["only quoted", `> Problem key: ${key}`, false],
    ["with a longer key", `Problem key: ${key}0`, false],
  ])("%s: %j is %s", (_, description, wanted) => {
    expect(isAbout({ id: "bd-1", description }, key, "landmass")).toBe(wanted);
  });
});

it("the reason of a failure is the message of an error object, else its first line", () => {
  expect(complaint("", '{\n "error": {"code":"E1","message":"locked","hint":"wait"}\n}')).toBe("locked");
  expect(complaint('{"error":"no database"}', "")).toBe("no database");
  expect(complaint("", "\nError: locked\n  at x")).toBe("Error: locked");
  expect(complaint("", "")).toBe("");
});

const config = {
  settings: { tickets: { enabled: true, closeResolved: true } },
  ticketRepeats: { threshold: 3, windowSeconds: 86_400 },
} as unknown as Config;
const request = (problem = key): TicketRequest => ({
  version: 1,
  problem,
  outage: "2026-11-20T22:40:20Z",
  host: "landmass",
  severity: "critical",
  title: "[argus] service: web is down",
  body: body.replace(key, problem),
  report: null,
  at: { wallMs: 1, uptimeSeconds: 1, bootId: "b" },
});

function desk() {
  const dir = folder();
  const beads = fakeBeads(dir);
  const real = createSystem({ path: beads.path });
  let passedSeconds = 0;
  const system = {
    ...real,
    clock: {
      ...real.clock,
      now: () => {
        const now = real.clock.now();
        return {
          ...now,
          wallMs: now.wallMs + passedSeconds * 1000,
          uptimeSeconds: now.uptimeSeconds + passedSeconds,
        };
      },
    },
  };
  let it = createTicketDesk(system, dir);
  const settle = (problems: ReadonlyMap<string, Problem> = new Map()) =>
    it.settle(config, problems, new AbortController().signal, 20_000);
  return {
    beads,
    dir,
    settle,
    ask: (problem?: string) => putTicketRequest(system.files, dir, request(problem)),
    pass: (seconds: number) => {
      passedSeconds += seconds;
    },
    restart: () => {
      it = createTicketDesk(system, dir);
    },
    book: () => readTicketBook(system.files, dir),
  };
}

describe("a tool that answers", () => {
  const lists: [string, Mood][] = [
    ["a list that is cut off", { prints: '[{"id":"bd-1","descr' }],
    ["a page of HTML", { prints: "<html><body>502</body></html>" }],
    ["an object of another kind", { prints: '{"ok":true}' }],
    ["40 MB", { prints: "x".repeat(40 * 1024 * 1024) }],
  ];
  it.each(lists)("%s is asked for no ticket, and its trouble is said once", async (_, mood) => {
    const its = desk();
    its.beads.is("list", mood);
    its.ask();
    const first = await its.settle();
    expect(first?.trouble).toMatch(/^bd list: \S/);
    its.pass(3600);
    expect(await its.settle()).toMatchObject({ trouble: null, events: [] });
    expect(its.beads.calls("create")).toEqual([]);
    its.beads.is("list", "works");
    its.pass(3600);
    expect(await its.settle()).toMatchObject({ events: [{ problem: key, id: "bd-1", what: "filed" }] });
    expect(its.book().trouble).toBeNull();
  });

  const creations: [string, string][] = [
    ["nothing", ""],
    ["JSON that is cut off", '{"id":"bd-'],
    ["an id with a command in it", '{"id":"bd-1;reboot"}'],
    ["an id that is an option", '{"id":"--force"}'],
    ["an id in colours", '{"id":"\u001b[32mbd-1\u001b[0m"}'],
    ["prose", "Created issue: bd-1"],
  ];
  it.each(creations)("%s to a creation is not asked to make it a second time", async (_, prints) => {
    const its = desk();
    its.beads.is("create", { prints });
    its.ask();
    const settled = await its.settle();
    expect(settled).toMatchObject({
      events: [],
      notes: [`bd does not say under which id it keeps the ticket of ${key}: close it by hand`],
    });
    for (let hour = 0; hour < 24; hour += 1) {
      its.pass(3600);
      its.restart();
      await its.settle();
    }
    expect(its.beads.calls("create")).toHaveLength(1);
  });

  it("nothing to a creation, but has it in its list, is understood", async () => {
    const its = desk();
    its.ask();
    its.beads.is("create", "does it silently");
    expect(await its.settle()).toMatchObject({ events: [{ id: "bd-1", what: "filed" }], notes: [] });
  });

  it("errors with colours and control characters are shown with them, and paint nothing", async () => {
    const its = desk();
    writeFileSync(join(its.beads.path, "bd"), "#!/bin/sh\nprintf '\\033[31mbad\\007 thing\\n' >&2\nexit 4\n");
    its.ask();
    expect((await its.settle())?.trouble).toBe("bd list: \\e[31mbad\\x07 thing");
  });
});

describe("the desk's book", () => {
  it("that is broken is set aside and said, and what stands in the tracker is found again", async () => {
    const its = desk();
    its.ask();
    await its.settle();
    writeFileSync(join(its.dir, "tickets.json"), '{"version":1,"tickets":[');
    its.restart();
    its.ask();
    const settled = await its.settle();
    expect(settled?.notes.join()).toMatch(/tickets\.json/);
    expect(settled?.events).toMatchObject([{ id: "bd-1", what: "reused" }]);
    expect(its.beads.issues()).toHaveLength(1);
  });

  it("sets a request aside that is none", async () => {
    const its = desk();
    its.ask();
    const path = join(its.dir, "ticket-requests", `${key.replace(":", "-")}.json`);
    writeFileSync(path, readFileSync(path, "utf8").slice(0, 40));
    expect((await its.settle())?.notes.join()).toMatch(/set aside as .*\.corrupt/);
    expect(its.beads.calls()).toEqual([]);
  });

  it("takes no more than 20 an hour to the tracker, and the others later", async () => {
    const its = desk();
    for (let number = 0; number < 30; number += 1) its.ask(`service:${String(number).padStart(16, "0")}`);
    for (let minute = 0; minute < 5; minute += 1) {
      await its.settle();
      its.pass(60);
    }
    expect(its.beads.issues()).toHaveLength(20);
    // While there is no room, nobody is asked what is open either.
    expect(its.beads.calls("list").length).toBeLessThanOrEqual(3);
    its.pass(3600);
    await its.settle();
    expect(its.beads.issues()).toHaveLength(30);
  });

  it("whatever is asked for, in whatever order, with failures and restarts between: one open ticket a problem at the most", async () => {
    const keys = [1, 2].map((digit) => `service:${String(digit).padStart(16, "0")}`);
    const step = fc.oneof(
      fc.record({ do: fc.constant("ask" as const), key: fc.constantFrom(...keys) }),
      fc.record({ do: fc.constant("over" as const), key: fc.constantFrom(...keys) }),
      fc.constant({ do: "settle" as const, key: "" }),
      fc.constant({ do: "restart" as const, key: "" }),
      fc.constant({ do: "fail" as const, key: "" }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        const its = desk();
        const problems = new Map<string, Problem>();
        const set = (problem: string, over: boolean) =>
          problems.set(
            problem,
            problemOf({
              key: problem,
              openings: [],
              life: over ? "resolved" : "open",
              resolvedAt: over ? "2026-11-20T23:00:00Z" : null,
            }),
          );
        for (const one of steps) {
          if (one.do === "ask") {
            its.ask(one.key);
            set(one.key, false);
          } else if (one.do === "over") set(one.key, true);
          else if (one.do === "restart") its.restart();
          else {
            its.beads.is("*", one.do === "fail" ? "fails" : "works");
            its.pass(7200);
            await its.settle(problems);
          }
        }
        its.beads.is("*", "works");
        its.pass(7200);
        await its.settle(problems);
        const open = its.beads.issues().filter(({ status }) => status === "open");
        for (const problem of keys) {
          const own = open.filter(({ description }) => description.startsWith(`Problem key: ${problem}\n`));
          const isWanted = problems.get(problem)?.life === "open";
          expect(own).toHaveLength(isWanted ? 1 : 0);
        }
      }),
      { numRuns: 15 },
    );
  }, 240_000);
});
