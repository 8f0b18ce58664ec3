/** A person's yes on a host with two processes: root's word, which the part with the network can neither give nor forge. */
import { existsSync } from "node:fs";
import { join } from "node:path";
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

/** A server that speaks the Bot API on the host: what people write stands in one file, what they are told in another. */
const bot = `
import { createServer } from "node:http";
import { appendFileSync, existsSync, readFileSync } from "node:fs";
createServer(async (request, response) => {
  let text = "";
  for await (const part of request) text += part;
  const body = JSON.parse(text);
  const answer = (result) => response.end(JSON.stringify({ ok: true, result }));
  if (request.url.endsWith("/sendMessage")) appendFileSync("/run/told", JSON.stringify(body) + "\\n");
  if (!request.url.endsWith("/getUpdates")) return answer(true);
  const said = existsSync("/run/said") ? JSON.parse(readFileSync("/run/said", "utf8")) : [];
  setTimeout(() => answer(said.filter((each) => each.update_id >= body.offset)), 200);
}).listen(8081, "127.0.0.1");
`;

/** The id that the message to people names. */
async function askedAbout(name: string): Promise<string> {
  const question = new RegExp(`restart_service ${name}: it waits for approval: argus approve ([a-z0-9]{4}),`);
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
    expect(yes.stdout).toContain(`Approved ${id}. restart_service web: success: systemctl restart web`);
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
    expect(is.actions(host, "restart_service", "db").at(-1)?.detail).toContain(`denied ${id}`);
  });
});

describe("people whom `telegram` names", () => {
  const presses = (...all: [user: number, data: string][]) =>
    host.write(
      "/run/said",
      JSON.stringify(
        all.map(([user, data], index) => ({
          update_id: index + 1,
          callback_query: {
            id: String(index),
            from: { id: user, username: `user${user}` },
            data,
            message: { message_id: 1, chat: { id: -100, type: "group" } },
          },
        })),
      ),
    );
  const told = (): string[] =>
    existsSync(join(host.root, "/run/told"))
      ? host
          .read("/run/told")
          .trim()
          .split("\n")
          .map((line) => JSON.parse(line).text as string)
      : [];

  it("say yes by a button, and nobody else does", async () => {
    host.write("/var/lib/bot/bot.mjs", bot, 0o644);
    await host.unit("bot.service", `[Service]\nExecStart=${process.execPath} /var/lib/bot/bot.mjs\n`);
    // One that nobody was asked about before: what waited then is delivered now.
    await is.services(host, [{ name: "api" }]);
    await is.systemctl(host, "start", "api", "bot");
    const services = [{ unit: "api", restart: true }];
    await is.configure(host, {
      settings: { services, approval: { rules: ["restart_service"] }, telegram: { users: [7] } },
      env: {
        TELEGRAM_BOT_TOKEN: "123:abc",
        TELEGRAM_CHAT_ID: "-100",
        TELEGRAM_API_URL: "http://127.0.0.1:8081",
      },
    });
    await is.systemctl(host, "restart", "argus-executor", "argus");
    await is.moreCycles(host, 2);
    await is.crash(host, "api");
    const asked = () =>
      told().flatMap((text) => /restart_service api: it waits.*argus approve (\w{4}),/.exec(text)?.[1] ?? []);
    await host.waitFor(() => asked().length > 0, 20_000, "the question");
    const id = asked().at(-1) ?? "";
    presses([9, `/approve ${id}`]);
    await is.moreCycles(host, 3);
    expect(await is.activeState(host, "api")).toBe("failed");
    presses([9, `/approve ${id}`], [7, `/approve ${id}`]);
    await host.waitFor(() => told().some((text) => text.startsWith("approved")), 20_000, "what became of it");
    expect(told().find((text) => text.startsWith("approved"))).toContain(
      `approved ${id}. restart_service api: success: `,
    );
    expect(await is.activeState(host, "api")).toBe("active");
    expect(
      is
        .actions(host, "restart_service", "api")
        .at(-1)
        ?.steps.map(({ detail }) => detail),
    ).toContainEqual(expect.stringContaining("user7 (Telegram 7) approved"));
  });
});
