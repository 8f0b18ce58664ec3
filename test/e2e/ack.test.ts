/** `argus ack`, as it is typed. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Argus } from "./argus.ts";
import { argus, unwrapped } from "./argus.ts";

const rule = (severity: string, holds: boolean) => ({
  rules: [
    {
      name: "tide",
      description: "a rule of the test",
      conditions: {
        all: [
          { fact: "host", path: "uptimeSeconds", operator: holds ? "greaterThan" : "lessThan", value: 0 },
        ],
      },
      event: {
        type: "argus",
        params: {
          condition: "tide",
          severity,
          subject: "tide",
          summary: "the tide is high",
          actions: [{ type: "alert" }],
          resolves: true,
        },
      },
    },
  ],
});

/** Any time between two cycles is more than the window. */
function highTide(): { watch: Argus; key: string; told: () => string[]; look: () => void } {
  const watch = argus({ ARGUS_DEDUP_WINDOW: "0", USER: "ann" });
  watch.rule("tide.json", rule("warning", true));
  watch.once();
  const key = watch.registry().find(({ event }) => event === "opened")?.key ?? "";
  const told = () =>
    existsSync(watch.state("outbox"))
      ? readdirSync(watch.state("outbox"))
          .sort()
          .map((name) => readFileSync(watch.state(`outbox/${name}`), "utf8"))
      : [];
  return { watch, key, told, look: () => void watch.once() };
}

describe("argus ack", () => {
  it("ends the repeats until the problem is worse, and says who and when in every view", () => {
    const { watch, key, told, look } = highTide();
    look();
    expect(told()).toHaveLength(2);
    const { status, stdout, stderr } = watch.run("ack", key, "--note", "boats are tied");
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toBe(
      `Acknowledged ${key} (the tide is high): it is not told again until it changes or ends.\n`,
    );
    look();
    expect(told()).toHaveLength(2);

    for (const words of [["status"], ["problems"], ["explain", key], ["summary"]])
      expect(unwrapped(watch.run(...words).stdout), words[0]).toMatch(
        /acknowledged by ann \d+ m?s ago: boats/,
      );
    const seen = { by: "ann", at: expect.any(String), note: "boats are tied" };
    expect(JSON.parse(watch.run("problems", "--open", "--json").stdout)).toMatchObject([
      { key, acknowledged: seen },
    ]);
    for (const line of JSON.parse(watch.run("problems", "--json").stdout))
      expect(line.acknowledged).toEqual(seen);
    expect(JSON.parse(watch.run("explain", key, "--json").stdout).problem.acknowledged).toEqual(seen);

    watch.rule("tide.json", rule("critical", true));
    look();
    expect(told()).toHaveLength(3);
  });

  it("ends with the outage: its end is told, it is out of the file, and the next outage is told", () => {
    const { watch, key, told, look } = highTide();
    watch.run("ack", key);
    watch.rule("tide.json", rule("warning", false));
    look();
    expect(told()).toHaveLength(2);
    expect(JSON.parse(readFileSync(watch.state("acks.json"), "utf8")).acks).toEqual([]);
    watch.rule("tide.json", rule("warning", true));
    look();
    expect(told()).toHaveLength(3);
    expect(JSON.parse(watch.run("problems", "--open", "--json").stdout)[0].acknowledged).toBeNull();
  });

  it("is taken back with --remove", () => {
    const { watch, key, told, look } = highTide();
    expect(JSON.parse(watch.run("ack", key, "--json").stdout)).toMatchObject([{ key, by: "ann", note: "" }]);
    expect(watch.run("ack", key, "--remove").stdout).toBe(
      `${key} is not acknowledged any more: it is told again as before.\n`,
    );
    look();
    expect(told()).toHaveLength(2);
    expect(watch.run("ack", key, "--remove")).toMatchObject({
      status: 1,
      stderr: `argus: ${key} is not acknowledged; argus status shows which problems are\n`,
    });
  });

  it("takes all keys or none: an unknown or an ended one is said, and nothing is written", () => {
    const { watch, key, look } = highTide();
    const unknown = "disk:0123456789abcdef";
    expect(watch.run("ack", key, unknown)).toMatchObject({
      status: 1,
      stderr: `argus: nothing is known of a problem ${unknown}; argus problems --open lists the keys\n`,
    });
    expect(existsSync(watch.state("acks.json"))).toBe(false);
    watch.rule("tide.json", rule("warning", false));
    look();
    expect(watch.run("ack", key)).toMatchObject({
      status: 1,
      stderr: `argus: ${key} is not open any more; argus problems --open lists the keys\n`,
    });
    expect(watch.run("ack", "tide")).toMatchObject({ status: 2 });
    expect(watch.run("ack")).toMatchObject({ status: 2 });
  });
});
