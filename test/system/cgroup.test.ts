import { describe, expect, it } from "vitest";
import { parseCgroup } from "../../src/system/cgroup.ts";

const id = "3f1c0c9a5d2e7b40aa11bb22cc33dd44ee55ff66aa77bb88cc99dd00ee11ff22";
const short = "3f1c0c9a5d2e";

describe("parseCgroup", () => {
  it.each([
    ["a service (v2)", "0::/system.slice/nginx.service\n", "nginx.service", null],
    [
      "a template's instance",
      "0::/system.slice/system-getty.slice/getty@tty1.service\n",
      "getty@tty1.service",
      null,
    ],
    ["a login", "0::/user.slice/user-1000.slice/session-3.scope\n", "session-3.scope", null],
    [
      "a user's own service",
      "0::/user.slice/user-1000.slice/user@1000.service/app.slice/bot.service\n",
      "bot.service",
      null,
    ],
    [
      "the user's manager",
      "0::/user.slice/user-1000.slice/user@1000.service/init.scope\n",
      "init.scope",
      null,
    ],
    ["below a service", "0::/system.slice/foo.service/worker/7\n", "foo.service", null],
    ["process 1", "0::/init.scope\n", "init.scope", null],
    ["no unit", "0::/\n", null, null],
    ["a name with escapes", "0::/system.slice/a\\x2db.service\n", "a\\x2db.service", null],
    [
      "a mixed set-up (v1)",
      "9:name=systemd:/system.slice/ssh.service\n4:memory:/\n0::/\n",
      "ssh.service",
      null,
    ],
    [
      "a mixed set-up with the tree in v2",
      "9:name=systemd:/\n0::/system.slice/ssh.service\n",
      "ssh.service",
      null,
    ],
    ["v1 without systemd", "4:memory:/\n0::/system.slice/ssh.service\n", "ssh.service", null],
    ["docker (v2)", `0::/system.slice/docker-${id}.scope\n`, `docker-${id}.scope`, short],
    ["docker (v1, cgroupfs)", `9:name=systemd:/docker/${id}\n4:memory:/docker/${id}\n0::/\n`, null, short],
    ["podman", `0::/machine.slice/libpod-${id}.scope/container\n`, `libpod-${id}.scope`, short],
    ["podman's watcher", `0::/machine.slice/libpod-conmon-${id}.scope\n`, `libpod-conmon-${id}.scope`, null],
    [
      "kubernetes, containerd",
      `0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-${id}.scope\n`,
      `cri-containerd-${id}.scope`,
      short,
    ],
    ["kubernetes, cgroupfs", `0::/kubepods/burstable/pod0a1b/${id}\n`, null, short],
    ["a colon in the slice", `0::/system.slice:cri-containerd:${id}\n`, null, short],
    ["nothing", "", null, null],
  ])("%s", (_, text, unit, container) => expect(parseCgroup(text)).toMatchObject({ unit, container }));

  it("tells two units of one name apart by their path", () => {
    const of = (user: number) =>
      parseCgroup(`0::/user.slice/user-${user}.slice/user@${user}.service/app.slice/bot.service/x\n`)
        .unitPath;
    expect(of(1000)).toBe("/user.slice/user-1000.slice/user@1000.service/app.slice/bot.service");
    expect(of(1001)).not.toBe(of(1000));
  });
});
