/** A host that goes away: a reboot that somebody asked for is no news, a loss of power is told once. */
import { existsSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { succeed } from "./argus.ts";
import { bootHost, type Host } from "./harness.ts";
import { cycles, installArgus, moreCycles, outbox, registry, systemctl } from "./installed.ts";

let host: Host;
beforeAll(async () => {
  host = await bootHost({ name: "power" });
  await installArgus(host);
  await moreCycles(host, 1);
});
afterAll(async () => await host?.stop());

const opened = () =>
  registry(host).filter(({ condition, event }) => condition === "unexpected-reboot" && event === "opened");
const told = () => outbox(host).filter(({ text }) => text.includes("been shut down before"));

/** Until a cycle of the new boot has looked. */
async function afterwards(down: () => Promise<void>): Promise<void> {
  const before = cycles(host).length;
  await down();
  await host.waitFor(() => cycles(host).length > before + 1, 20_000, "a cycle of the new boot");
}

describe("a reboot that was asked for", () => {
  it("of systemd is no news", async () => {
    await afterwards(async () => await host.reboot());
    expect([opened(), told()]).toEqual([[], []]);
  });

  it.each([["poweroff"], ["poweroff", "--force"], ["halt"]])(
    "with systemctl %s %s is none either",
    async (...words) => {
      await afterwards(async () => {
        const { leader } = host;
        await host.exec(["systemctl", "--no-block", ...words.filter((word) => word !== undefined)]);
        await host.waitFor(() => !existsSync(`/proc/${leader}`), 25_000, "the host to go down");
        await host.reboot({ cut: true });
      });
      expect([opened(), told()]).toEqual([[], []]);
    },
  );

  it("is none where journald gives up /var before the end, as with a /var of its own", async () => {
    await afterwards(async () => {
      await succeed(host, ["journalctl", "--sync"]);
      await host.exec(["systemctl", "--no-block", "stop", "sysinit.target"]);
      await host.waitFor(
        async () =>
          (await host.exec(["journalctl", "-b", "UNIT=sysinit.target", "-o", "cat"])).stdout.includes(
            "Stopped target",
          ),
        10_000,
        "sysinit.target to be stopped",
      );
      await succeed(host, ["journalctl", "--sync"]);
      await host.reboot({ cut: true });
    });
    expect([opened(), told()]).toEqual([[], []]);
  });
});

describe("a host that is cut off", () => {
  it("is told once, with the end of its journal, also when Argus starts anew", async () => {
    await succeed(host, ["logger", "--tag", "shop", "the till is open, password=Tr0ub4dor&3xyz"]);
    await succeed(host, ["journalctl", "--sync"]);
    await afterwards(async () => await host.reboot({ cut: true }));
    expect(opened()).toHaveLength(1);
    const [message, ...more] = told();
    expect(more).toEqual([]);
    expect(message?.text).toMatch(
      /the host was started at \S+ \S+ UTC, and it had not been shut down before; its journal ends at \S+ \S+ UTC/,
    );
    expect(message?.text).toContain("Last lines of the journal before it:\n> ");
    expect(message?.text).not.toContain("Tr0ub4dor");
    await systemctl(host, "restart", "argus");
    await moreCycles(host, 2);
    expect([opened().length, told().length]).toEqual([1, 1]);
  });

  it("again is told again", async () => {
    await afterwards(async () => await host.reboot({ cut: true }));
    expect([opened().length, told().length]).toEqual([2, 2]);
  });

  it("is told from what Argus itself knows where the journal has the boot no more", async () => {
    host.write("/etc/systemd/journald.conf.d/x.conf", "[Journal]\nStorage=volatile\n");
    await afterwards(async () => {
      await succeed(host, ["rm", "-rf", "/var/log/journal"]);
      await host.reboot({ cut: true });
    });
    expect([opened().length, told().length]).toEqual([3, 3]);
    expect(told()[2]?.text).toContain(
      "it may not have been shut down before: Argus was not told to stop, and the journal keeps nothing of the time before",
    );
  });

  it("is not, where the daemon was killed before a shutdown that is on record, and the journal keeps nothing", async () => {
    await afterwards(async () => {
      await systemctl(host, "mask", "--runtime", "argus");
      await systemctl(host, "kill", "--signal=KILL", "argus");
      await host.reboot();
    });
    expect([opened().length, told().length]).toEqual([3, 3]);
  });

  it("is not, where the daemon was told to stop, and the journal keeps nothing", async () => {
    await afterwards(async () => await host.reboot());
    expect([opened().length, told().length]).toEqual([3, 3]);
    const notes = cycles(host).flatMap((cycle) => cycle.notes);
    expect(notes.filter((note) => note.includes("nobody can say whether it was shut down before"))).toEqual(
      [],
    );
  });

  it("is over when it was told, and nobody is told of an end", async () => {
    await moreCycles(host, 4);
    const ended = registry(host).filter(
      ({ condition, event }) => condition === "unexpected-reboot" && event === "resolved",
    );
    expect(ended).toHaveLength(3);
    expect(outbox(host).filter(({ text }) => text.includes("Over after"))).toEqual([]);
  });
});
