/** Which of the machine's Node.js install.sh copies. Those of the test only say their version: nothing is installed here. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { succeed } from "./argus.ts";
import { bootHost, type ExecResult, type Host } from "./harness.ts";
import { unpack } from "./installer.ts";

let host: Host;
let install: (...args: string[]) => Promise<ExecResult>;
beforeAll(async () => {
  host = await bootHost({ name: "nodes" });
  install = await unpack(host, "/srv/argus");
  await succeed(host, ["useradd", "--create-home", "bob"]);
});
afterAll(async () => await host?.stop());

const placed = new Set<string>();
beforeEach(async () => {
  await succeed(host, ["rm", "-rf", ...placed, "/nothing"]);
  placed.clear();
});

/** It says what it is, and does the rest as the machine's own. */
function place(path: string, version: string, isCalled = path): void {
  placed.add(path);
  host.write(
    path,
    `#!/bin/sh\n[ "$1" = -p ] || exec /usr/bin/node "$@"\necho "${version} ${isCalled}"\n`,
    0o755,
  );
}
const oneLine = (text: string) => text.replace(/\s+/g, " ");
const plan = async (...args: string[]) => {
  const planned = await install("--dry-run", "--yes", ...args);
  expect([planned.exitCode, planned.stderr]).toEqual([0, ""]);
  return oneLine(planned.stdout);
};
const asBobsSudo = async () => {
  const planned = await host.exec(["env", "SUDO_USER=bob", "/srv/argus/install.sh", "--dry-run", "--yes"], {
    timeoutMs: 60_000,
  });
  expect([planned.exitCode, planned.stderr]).toEqual([0, ""]);
  return oneLine(planned.stdout);
};
const outOfSupport = (major: number, since: string) =>
  `! This Node ${major} has been out of its makers' support since ${since}; install a newer one on this machine and run install.sh again, or name it: --node FILE`;

describe("install.sh", () => {
  it("prefers a Node that its makers support, the newest with long support", async () => {
    place("/usr/local/bin/node", "v23.11.1");
    place("/opt/node-v22/bin/node", "v22.23.0");
    place("/opt/node-v24/bin/node", "v24.9.0");
    place("/usr/local/lib/nodejs/v24.21.0/bin/node", "v24.21.0");
    const said = await plan();
    expect(said).toContain("with its own Node v24.21.0 (a copy of /usr/local/lib/nodejs/v24.21.0/bin/node)");
    expect(said).not.toContain("out of its makers' support");
  });

  it("takes the newest that runs where none is supported, and says so", async () => {
    place("/usr/local/bin/node", "v20.99.0");
    const said = await plan();
    expect(said).toContain("with its own Node v20.99.0 (a copy of /usr/local/bin/node)");
    expect(said).toContain(outOfSupport(20, "April 2026"));
  });

  it("says it of the one that is named, too, and takes that", async () => {
    place("/opt/node-v24/bin/node", "v24.9.0");
    place("/srv/odd/node", "v23.1.0");
    const said = await plan("--node", "/srv/odd/node");
    expect(said).toContain("with its own Node v23.1.0 (a copy of /srv/odd/node)");
    expect(said).toContain(outOfSupport(23, "June 2025"));
  });

  it("takes one that is newer than its table for supported", async () => {
    place("/opt/node-v24/bin/node", "v24.9.0");
    place("/opt/node-v27/bin/node", "v27.1.0");
    expect(await plan()).toContain("with its own Node v27.1.0 (a copy of /opt/node-v27/bin/node)");
  });

  it("looks into the home of the user who called sudo, as that user, and not into those of others", async () => {
    place("/home/bob/.nvm/versions/node/v24.9.0/bin/node", "v24.9.0");
    place("/home/bob/.volta/tools/image/node/22.23.0/bin/node", "v22.23.0");
    host.write(
      "/home/bob/.local/share/fnm/node-versions/v26.1.0/installation/bin/node",
      '#!/bin/sh\n[ "$(id -un)" = bob ] && [ "$HOME" = /home/bob ] && echo "v26.1.0 $0"\n',
      0o755,
    );
    await succeed(host, ["chown", "-R", "bob:bob", "/home/bob"]);
    expect(await asBobsSudo()).toContain(
      "with its own Node v26.1.0 (a copy of /home/bob/.local/share/fnm/node-versions/v26.1.0/installation/bin/node)",
    );
    expect(await plan()).toContain("(a copy of /usr/bin/node)");
    await succeed(host, ["rm", "-rf", "/home/bob/.local"]);
    expect(await asBobsSudo()).toContain("(a copy of /home/bob/.nvm/versions/node/v24.9.0/bin/node)");
  });

  it("takes what a starter starts, and passes over what does not run here", async () => {
    place("/usr/local/bin/node", "v24.9.0", "/opt/real/bin/node");
    place("/opt/node-gone/bin/node", "v26.0.0", "/opt/nowhere/bin/node");
    place("/opt/real/bin/node", "v24.9.0");
    place("/opt/node-broken/bin/node", "v26.0.0");
    host.write("/opt/node-broken/bin/node", "\u007fELF of another machine", 0o755);
    placed.add("/opt/node-hangs");
    host.write("/opt/node-hangs/bin/node", "#!/bin/sh\necho nonsense\n", 0o755);
    expect(await plan()).toContain("with its own Node v24.9.0 (a copy of /opt/real/bin/node)");
  });
});

describe("an installation", () => {
  it("keeps its copy where the machine has none that is better, and says in doctor what it is", async () => {
    await succeed(host, ["cp", "/usr/bin/node", "/srv/own-node"]);
    const installed = await install("--yes", "--node", "/srv/own-node");
    expect([installed.exitCode, installed.stderr]).toEqual([0, ""]);
    place("/usr/local/bin/node", "v20.12.0");
    const again = await install("--yes");
    expect(again.stdout).toContain("nothing to change");
    const version = await succeed(host, ["/opt/argus/bin/node", "--version"]);
    const doctor = oneLine(await succeed(host, ["argus", "doctor"]));
    if (version.startsWith("v20."))
      expect(doctor).toContain(
        "limited node Node 20 has been out of its makers' support since April 2026 → put a newer Node on this machine, and run install.sh again",
      );
    else expect(doctor).not.toContain("makers' support");
  });

  it("takes a better one at the next run", async () => {
    place("/opt/node-v99/bin/node", "v99.0.0");
    expect(await plan()).toContain("in /opt/argus, with its own Node v99.0.0");
  });
});
