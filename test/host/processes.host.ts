/** Whose a `node --test` is, where a real systemd starts services, adopts orphans and keeps sessions. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { argusFor, layDown, succeed } from "./argus.ts";
import { bootHost, type Host } from "./harness.ts";

let host: Host;
beforeAll(async () => {
  host = await bootHost({ name: "processes" });
  await layDown(host);
  // One file each, by which its run is found again.
  for (const name of ["lost", "service", "forked", "live"]) {
    host.write(
      `/srv/${name}.mjs`,
      'import test from "node:test"; test("hangs", () => new Promise(() => setInterval(() => {}, 1000)));',
    );
  }
});
afterAll(async () => await host?.stop());

const node = process.execPath;
const runs = async (name: string) =>
  (await host.exec(["pgrep", "--full", "--exact", `${node} --test /srv/${name}.mjs`])).stdout
    .split("\n")
    .filter(Boolean);

it("ends what lost its parent in a session, and nothing that a service, a daemon or a session still owns", async () => {
  const settings = { processes: { killable: ["node"] } };
  const argus = argusFor(host, "orphans", { settings });
  await succeed(host, ["sh", "-c", `setsid ${node} --test /srv/lost.mjs >/dev/null 2>&1 &`]);
  await host.unit("tests.service", `[Service]\nExecStart=${node} --test /srv/service.mjs\n`);
  // A classic daemon: it forks itself into the background, and systemd is its parent as it is an orphan's.
  await host.unit(
    "forked.service",
    `[Service]\nType=forking\nExecStart=/bin/sh -c '${node} --test /srv/forked.mjs >/dev/null 2>&1 &'\n`,
  );
  await succeed(host, ["systemctl", "start", "tests", "forked"]);
  // It ends with the host.
  void host.exec(["sh", "-c", `${node} --test /srv/live.mjs; true`], { timeoutMs: 60_000 });
  const names = ["lost", "service", "forked", "live"];
  const count = async () => await Promise.all(names.map(async (name) => (await runs(name)).length));
  await host.waitFor(async () => (await count()).every((each) => each === 1), 10_000, "all four to run");
  const [pid] = await runs("lost");

  for (const cycle of [1, 2]) {
    expect(
      (await argus.cycle()).actions.filter(({ type }) => type === "kill_pid"),
      `in cycle ${cycle}`,
    ).toEqual([]);
  }
  const kills = (await argus.cycle()).actions.filter(({ type }) => type === "kill_pid");
  expect(kills.map(({ target, result, verified }) => [target, result, verified])).toEqual([
    [Number(pid), "success", true],
  ]);
  expect(await count()).toEqual([0, 1, 1, 1]);
});
