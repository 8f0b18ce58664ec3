/** A person's yes on a host with two processes: root's word, which the part with the network can neither give nor forge. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { succeed } from "./argus.ts";
import { bootHost, type Host } from "./harness.ts";
import * as is from "./installed.ts";

let host: Host;

beforeAll(async () => {
  host = await bootHost({ name: "approve" });
  await is.services(host, [{ name: "web" }, { name: "db" }]);
  await is.systemctl(host, "start", "web", "db");
  const services = ["web", "db"].map((unit) => ({ unit, restart: true }));
  await is.installArgus(host, { settings: { services, approval: { rules: ["restart_service"] } } });
});
afterAll(async () => await host?.stop());

/** The id that the message to people names. */
async function askedAbout(name: string): Promise<string> {
  const question = new RegExp(
    `restart_service ${name}: it waits for a person's yes: argus approve ([a-z0-9]{4}),`,
  );
  const ids = () => is.outbox(host).flatMap(({ text }) => question.exec(text)?.[1] ?? []);
  await host.waitFor(() => ids().length > 0, 15_000, `the question about ${name}`);
  return ids()[0] ?? "";
}

it("a silence by root is heard by both parts: no message, and with --actions nothing done", async () => {
  await succeed(host, ["argus", "silence", "add", "--subject", "web", "--for", "1h", "--actions"]);
  const before = is.outbox(host).length;
  await is.crash(host, "web");
  await host.waitFor(() => is.answers(host, "web").at(-1) === "silenced", 15_000, "the silence to be heard");
  await is.moreCycles(host, 2);
  expect(await is.activeState(host, "web")).toBe("failed");
  expect(is.outbox(host)).toHaveLength(before);
  const [{ id }] = JSON.parse(await succeed(host, ["argus", "silence", "list", "--json"]));
  await succeed(host, ["argus", "silence", "remove", id]);
  await is.systemctl(host, "start", "web");
  await is.moreCycles(host, 2);
});

describe("an action that waits for a person's yes", () => {
  it("is done within seconds after `argus approve`, which says what became of it", async () => {
    await is.crash(host, "web");
    const id = await askedAbout("web");
    expect(await is.activeState(host, "web")).toBe("failed");
    const yes = await is.argus(host, "approve", id);
    expect([yes.exitCode, yes.stderr]).toEqual([0, ""]);
    expect(yes.stdout).toContain(`Yes to ${id}. restart_service web: success: systemctl restart web`);
    expect(await is.activeState(host, "web")).toBe("active");
  });

  it("is not done by the word of Argus's own user, who can neither read the questions nor write an answer", async () => {
    await is.crash(host, "db");
    const id = await askedAbout("db");
    const asArgus = ["setpriv", "--reuid=argus", "--regid=argus", "--init-groups", "--no-new-privs"];
    const approve = await host.exec([...asArgus, "/usr/local/bin/argus", "approve", id]);
    expect(approve.exitCode).not.toBe(0);
    const forged = `mkdir -p ${is.executorDir}/approvals && echo '{"version":1,"yes":true,"by":"root","at":""}' >${is.executorDir}/approvals/${id}.json`;
    expect((await host.exec([...asArgus, "sh", "-c", forged])).exitCode).not.toBe(0);
    await is.moreCycles(host, 3);
    expect(await is.activeState(host, "db")).toBe("failed");
    await succeed(host, ["argus", "deny", id]);
    await is.moreCycles(host, 2);
    expect(await is.activeState(host, "db")).toBe("failed");
    expect(is.actions(host, "restart_service", "db").at(-1)?.detail).toContain(`said no to ${id}`);
  });
});
