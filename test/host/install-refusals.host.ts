/** What install.sh says when it cannot: one sentence with the mend, and nothing was changed. And how it builds. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { succeed } from "./argus.ts";
import { bootHost, type ExecResult, type Host } from "./harness.ts";
import { names, unpack } from "./installer.ts";

let host: Host;
let install: (...args: string[]) => Promise<ExecResult>;
/** Root's script in a mount namespace in which something is hidden. */
const without = async (hide: string, ...args: string[]) =>
  await host.exec(
    ["unshare", "--mount", "bash", "-c", `${hide}; exec /srv/argus/install.sh "$@"`, "without", ...args],
    { timeoutMs: 60_000 },
  );

beforeAll(async () => {
  host = await bootHost({ name: "refusals" });
  install = await unpack(host, "/srv/argus");
  await succeed(host, ["useradd", "--create-home", "bob"]);
});
afterAll(async () => await host?.stop());

/** Everything of the path but Node. */
const hideNode =
  "mount --bind /dev/null /usr/bin/node && mkdir -p /run/path && ln -sf /usr/bin/* /usr/sbin/* /run/path/ && rm -f /run/path/node && export PATH=/run/path";
const oldNode = `#!/bin/sh
echo v18.20.4 /srv/old/node
`;

describe("install.sh refuses", () => {
  const refusals: readonly (readonly [string, () => Promise<ExecResult>, number, string])[] = [
    [
      "an ordinary user",
      // On stdin, because the checkout may lie where that user may not look.
      async () =>
        await host.exec(["bash", "-s", "--", "--yes"], {
          user: "bob",
          input: host.read("/srv/argus/install.sh"),
        }),
      1,
      "it must run as root; run: sudo ./install.sh --yes",
    ],
    [
      "a mode that there is not",
      async () => await install("--yes", "--mode", "sometimes"),
      2,
      "--mode is 'sometimes', but must be watch or act",
    ],
    [
      "a host without systemd",
      async () => await without("mount -t tmpfs none /run/systemd", "--yes"),
      1,
      "systemd is not running here; run 'npm start' for a look, or 'node dist/main.js run' under your own supervisor",
    ],
    [
      "a systemd that is too old",
      async () =>
        await without(
          'printf \'#!/bin/sh\\necho systemd 245\\n\' >/run/s; chmod 755 /run/s; mount --bind /run/s "$(readlink -f "$(command -v systemctl)")"',
          "--yes",
        ),
      1,
      "systemd is version 245, and Argus's units need 247 or newer; upgrade the system, or run 'node dist/main.js run' under your own supervisor",
    ],
    [
      "a host without Node",
      async () => await without(hideNode, "--yes"),
      1,
      "Node.js is not found; install version 20.11 or newer, or name the program with --node FILE",
    ],
    [
      "a Node that is too old",
      async () => await install("--yes", "--node", "/srv/old/node"),
      1,
      "Node.js at /srv/old/node is v18.20.4, and Argus needs 20.11 or newer; install that, or name another with --node FILE",
    ],
    [
      "a Node that is none",
      async () => await install("--yes", "--node", "/etc/passwd"),
      1,
      "/etc/passwd is no program; name a Node.js of version 20.11 or newer with --node FILE",
    ],
    [
      "a folder that others can write",
      async () => await install("--yes", "--prefix", "/srv/loose/argus"),
      1,
      "others than root can write /srv/loose, and so could replace the program that runs as root; name another folder with --prefix",
    ],
    [
      "a folder of somebody's home",
      async () => await install("--yes", "--prefix", "/home/bob/argus"),
      1,
      "others than root can write /home/bob, and so could replace the program that runs as root; name another folder with --prefix",
    ],
    [
      "a folder with something else in it",
      async () => await install("--yes", "--prefix", "/etc/systemd"),
      1,
      "/etc/systemd holds something else than Argus; move it away, or name another folder with --prefix",
    ],
    [
      "a folder that is emptied",
      async () => await install("--yes", "--prefix", "/var/tmp/argus"),
      2,
      "--prefix must not lie in a folder that is emptied; name one such as /opt/argus",
    ],
    [
      "a folder with a strange name",
      async () => await install("--yes", "--prefix", "/opt/a b"),
      2,
      "--prefix is '/opt/a b', but must be an absolute path of letters, digits and . _ + -",
    ],
    [
      "the root",
      async () => await install("--yes", "--prefix", "/"),
      2,
      "--prefix is '/', but must be an absolute path of letters, digits and . _ + -",
    ],
    ["an unknown option", async () => await install("--yess"), 2, "there is no option --yess; see --help"],
    [
      "an option without its value",
      async () => await install("--prefix"),
      2,
      "--prefix needs a path; see --help",
    ],
    [
      "to run beside another one",
      async () =>
        await host.exec(["flock", "/etc/systemd/system", "/srv/argus/install.sh", "--yes"], {
          timeoutMs: 60_000,
        }),
      1,
      "another install.sh is at work; wait until it has ended",
    ],
    [
      "the script alone",
      async () =>
        await host.exec(["bash", "-s", "--", "--yes"], { input: host.read("/srv/argus/install.sh") }),
      1,
      "install.sh must lie in the folder of Argus; clone the repository and run it there",
    ],
    [
      "somebody's account named argus",
      async () => {
        await succeed(host, ["useradd", "--uid", "4321", "--shell", "/bin/bash", "argus"]);
        const refused = await install("--yes");
        await succeed(host, ["userdel", "argus"]);
        return refused;
      },
      1,
      "the user argus is somebody's account here (uid 4321, shell /bin/bash), and Argus needs a system user of that name; rename that account first",
    ],
    [
      "a unit that is masked",
      async () => {
        await succeed(host, ["systemctl", "mask", "argus.service"]);
        const refused = await install("--yes");
        await succeed(host, ["systemctl", "unmask", "argus.service"]);
        return refused;
      },
      1,
      "argus.service is masked, so somebody wants it not to run; systemctl unmask argus.service first",
    ],
  ];

  it.each(refusals)("%s", async (_, attempt, exitCode, sentence) => {
    host.write("/srv/old/node", oldNode, 0o755);
    await succeed(host, ["install", "-d", "-m", "0777", "/srv/loose"]);
    const before = await names(host);
    const refused = await attempt();
    expect([refused.exitCode, refused.stderr]).toEqual([exitCode, `install.sh: ${sentence}`]);
    expect(await names(host)).toEqual(before);
    expect((await host.exec(["getent", "passwd", "argus"])).exitCode).toBe(2);
  });
});

describe("a clone that is not built yet", () => {
  /** npm, as far as install.sh goes: it says who calls it for what, and makes what is asked for. */
  const npm = (build: string) => `#!/bin/sh
echo "$(id -un): npm $*" >>/home/bob/npm.log
case "$1" in
  ci) mkdir -p node_modules && touch node_modules/.package-lock.json ;;
  run) ${build} ;;
esac
`;
  const clone = async (build: string) => {
    await succeed(host, ["rm", "-rf", "/home/bob/argus", "/home/bob/npm.log"]);
    // npm belongs to the Node beside it.
    await succeed(host, ["mkdir", "-p", "/srv/tools"]);
    await succeed(host, ["cp", process.execPath, "/srv/tools/node"]);
    host.write("/srv/tools/npm", npm(build), 0o755);
    await unpack(host, "/home/bob/argus");
    await succeed(host, ["mv", "/home/bob/argus/dist", "/srv/built"]);
    for (const file of ["src/main.ts", "scripts/build.mjs", "package-lock.json"])
      host.write(`/home/bob/argus/${file}`, "");
    await succeed(host, ["chown", "-R", "bob:bob", "/home/bob/argus"]);
  };
  const run = async (...args: string[]) =>
    await host.exec(["/home/bob/argus/install.sh", "--node", "/srv/tools/node", ...args], {
      timeoutMs: 60_000,
    });

  it("is built by its owner, once, and no file in it is root's afterwards", async () => {
    await clone("cp -r /srv/built dist && touch dist/main.js");
    const planned = await run("--dry-run");
    expect(planned.stdout).toContain("build it in /home/bob/argus: npm ci && npm run build, as user bob");
    expect((await host.exec(["test", "-e", "/home/bob/npm.log"])).exitCode).toBe(1);
    const installed = await run("--yes");
    expect([installed.exitCode, installed.stderr]).toEqual([0, ""]);
    expect(host.read("/home/bob/npm.log")).toBe("bob: npm ci --no-audit --no-fund\nbob: npm run build\n");
    expect(await succeed(host, ["find", "/home/bob/argus", "-not", "-user", "bob"])).toBe("");
    expect((await run("--yes")).stdout).toContain("nothing to change");
    expect(host.read("/home/bob/npm.log").split("\n")).toHaveLength(3);
    expect((await run("--uninstall", "--yes")).exitCode).toBe(0);
    await succeed(host, ["rm", "-rf", "/srv/built"]);
  });

  it("that does not build changes nothing and shows why", async () => {
    const before = await names(host);
    await clone("echo 'error TS1005: no such luck'; exit 3");
    const failed = await run("--yes");
    expect([failed.exitCode, failed.stderr.split("\n")]).toEqual([
      1,
      [
        "error TS1005: no such luck",
        "install.sh: npm run build failed in /home/bob/argus as said above; run 'npm ci && npm run build' there by hand",
      ],
    ]);
    expect(await names(host)).toEqual(before);
  });
});
