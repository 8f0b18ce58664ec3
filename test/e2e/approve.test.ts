/** A person's yes, from the question in the message to the deed, through the whole program. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { action, reply, says, startModelServer } from "../escalate/model-server.ts";
import { type Argus, afterThis, alive, argus, ended, until } from "./argus.ts";
import { lightNode, processRule as rule } from "./light-node.ts";

function messages(watch: Argus): string[] {
  const folder = watch.state("outbox");
  return readdirSync(folder)
    .filter((name) => name.endsWith(".json"))
    .map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")).text as string);
}
const askedIds = (watch: Argus): string[] =>
  messages(watch).flatMap((text) => /argus approve ([a-z0-9]{4})/.exec(text)?.[1] ?? []);

test("a rule's action waits for a yes, is done at once after it, and explain says who said so", async () => {
  const watch = argus({ ARGUS_INTERVAL: "3600", SUDO_USER: "bob" });
  watch.settings({ approval: { rules: ["kill_pid"] } });
  const [wanted, kept] = [lightNode(), lightNode()];
  watch.rule("wanted.json", rule(wanted, true));
  watch.rule("kept.json", rule(kept, true));
  const first = watch.once();
  expect(first.actions.filter(({ type }) => type === "kill_pid")).toMatchObject([
    { refusal: "needs_approval" },
    { refusal: "needs_approval" },
  ]);
  expect(first.cycle.model.detail).toBe("what they do not cover waits for approval");
  const waiting = JSON.parse(watch.run("approve", "--json").stdout) as {
    id: string;
    proposal: { target: number };
  }[];
  expect(waiting.map(({ proposal }) => proposal.target).sort()).toEqual([wanted, kept].sort());
  const idOf = (pid: number) => waiting.find(({ proposal }) => proposal.target === pid)?.id ?? "";
  // Both questions stand in the one message of the cycle.
  expect(messages(watch)).toHaveLength(1);
  expect(messages(watch)[0]).toContain(`argus approve ${idOf(wanted)}`);
  expect(messages(watch)[0]).toContain(`argus approve ${idOf(kept)}`);
  expect(watch.run("status").stdout).toContain(`argus approve ${idOf(kept)}`);
  expect(watch.run("approve").stdout).toContain(`${idOf(wanted)}  kill_pid ${wanted}`);

  const daemon = watch.start("run");
  await until("it looks", () => daemon.output().includes("cycle"));
  const yes = watch.run("approve", idOf(wanted));
  expect([yes.status, yes.stderr]).toEqual([0, ""]);
  expect(yes.stdout).toMatch(new RegExp(`^Approved ${idOf(wanted)}\\. kill_pid ${wanted}: success: `));
  expect(alive(wanted)).toBe(false);
  const no = watch.run("deny", idOf(kept));
  expect(no.stdout).toContain(`Denied ${idOf(kept)}: kill_pid ${kept} is not done`);
  daemon.kill("SIGUSR1");
  const after = () => JSON.parse(watch.run("explain", "--json").stdout).actions as { detail: string }[];
  await until("the no is seen", () => after().some(({ detail }) => detail.startsWith("bob denied")));
  expect(alive(kept)).toBe(true);
  const problem = first.findings.find(({ subject }) => subject === `process ${wanted}`);
  expect(watch.run("explain", problem?.key ?? "").stdout).toContain(`bob approved ${idOf(wanted)}`);
}, 60_000);

test("what the model proposed is done after the yes, without asking the model again", async () => {
  const server = await startModelServer();
  afterThis(() => void server.close());
  const watch = argus({ ANTHROPIC_API_KEY: "sk-test", ANTHROPIC_BASE_URL: server.url });
  const pid = lightNode();
  watch.settings({ approval: { model: ["kill_pid"] } });
  watch.rule("mine.json", rule(pid, false));
  server.will((response, received) => {
    const problem = /process:[0-9a-f]{16}/.exec(received.body.messages[0]?.content ?? "")?.[0] ?? "";
    const kill = action({ type: "kill_pid", target: pid, problem, confidence: 0.95 });
    says(reply({ assessment: "It should go.", actions: [kill] }))(response, received);
  });
  const once = async () => {
    const child = watch.start("run", "--once", "--json");
    expect(await ended(child), child.output()).toBe(0);
    return JSON.parse(child.output());
  };
  const first = await once();
  expect(first.actions[0]).toMatchObject({
    type: "kill_pid",
    source: "llm:claude-haiku-5-5",
    refusal: "needs_approval",
  });
  const [id = ""] = askedIds(watch);
  const said = watch.run("approve", id);
  expect(said.stdout).toContain("no daemon runs; the next `argus run --once` does it");
  expect(alive(pid)).toBe(true);
  const second = await once();
  expect(second.cycle.model).toMatchObject({ asked: false, why: "same_unresolved_set" });
  expect(second.actions[0]).toMatchObject({
    type: "kill_pid",
    target: pid,
    source: "llm:claude-haiku-5-5",
    result: "success",
    verified: true,
  });
  expect(second.findings).toMatchObject([{ resolved: true }]);
  expect(alive(pid)).toBe(false);
  expect(server.received).toHaveLength(1);
}, 60_000);

test("an id that nobody knows is an error that says what to do", () => {
  const watch = argus();
  expect(watch.run("approve", "zzzz")).toMatchObject({
    status: 2,
    stdout: "",
    stderr: 'argus: nothing waits under the id "zzzz"; argus approve lists what waits\n',
  });
  expect(watch.run("approve").stdout).toBe("Nothing waits for approval.\n");
  expect(watch.run("approve", "--json").stdout).toBe("[]\n");
});
