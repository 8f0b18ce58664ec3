/** A channel that refuses what it is given: said by status, doctor and the other channel, and over when it takes again. */
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startWebServer } from "../notify/web-server.ts";
import { afterThis, argus, ended, until } from "./argus.ts";

const holds = {
  rules: [
    {
      name: "holds",
      description: "Holds on every machine",
      conditions: { all: [{ fact: "host", path: "cores", operator: "greaterThan", value: 0 }] },
      event: {
        type: "check",
        params: { condition: "holds", severity: "warning", subject: "holds", summary: "it holds" },
      },
    },
  ],
};

test("what a channel refuses for good is a problem that the other channel is told of, until it takes the next", async () => {
  const web = await startWebServer();
  afterThis(() => void web.close());
  web.otherwise = { status: 413, body: "too large" };
  const watch = argus({ ARGUS_SECRET_HOOK: "a key of the test", ARGUS_INTERVAL: "2" });
  const heard = join(watch.dir, "heard");
  const program = join(watch.dir, "pager");
  writeFileSync(heard, "");
  writeFileSync(program, `#!/bin/sh\ncat >> ${heard}\n`);
  chmodSync(program, 0o700);
  watch.settings({
    channels: [
      { type: "webhook", name: "ops", url: web.url, secretVariable: "ARGUS_SECRET_HOOK" },
      { type: "command", name: "pager", command: [program] },
    ],
  });
  watch.rule("holds.json", holds);
  const daemon = watch.start("run");
  const text = () => readFileSync(heard, "utf8");
  await until(
    "the pager is told of the webhook",
    () => text().includes("alerts do not arrive everywhere: ops"),
    60_000,
  );
  expect(text()).toContain("the webhook ops refused it (413: too large)");

  const status = watch.run("status").stdout.replace(/\n\s*\|? */g, " ");
  expect(status).not.toContain("everything was delivered");
  expect(status).toMatch(
    /ops( \(\d\))?: the webhook ops refused it \(413: too large\), and no shorter form pass/,
  );
  expect(status).toContain("1 message refused for good since ");
  expect(status).toContain(".json.refused-1");
  const doctor = watch.run("doctor").stdout.replace(/\n\s*\|? */g, " ");
  expect(doctor).toContain("alerts: ops");
  expect(doctor).toContain("1 message was refused for good since ");

  web.otherwise = { status: 200 };
  await until("its end is told as well", () => /RECOVERED|RESOLVED/.test(text()), 60_000);
  const asked = web.asked.map(({ body }) => JSON.parse(body));
  const taken = asked.slice(asked.findLastIndex(({ event }) => event === undefined) + 1);
  expect(taken.length).toBeGreaterThan(0);
  // Nobody hears there of the end of what they have not heard of; nothing goes round in circles either.
  daemon.kill("SIGTERM");
  expect(await ended(daemon)).toBe(0);
  expect(asked.length).toBeLessThan(40);
  const after = watch.run("status").stdout.replace(/\n\s*\|? */g, " ");
  expect(after).not.toContain("everything was delivered");
  expect(after).toContain("1 message refused for good since ");
}, 180_000);
