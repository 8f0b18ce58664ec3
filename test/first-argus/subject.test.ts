/** What a line of the first Argus was about: what it names, and nothing that its prose only sounds like. */
import { describe, expect, it } from "vitest";
import { aboutOf } from "../../src/system/first-argus/subject.ts";

const host = "vps";
const disk = (text: string) => aboutOf("disk", text, "alert:telegram", host);
const service = (text: string, action = "alert:telegram") => aboutOf("service", text, action, host);
const process = (text: string) => aboutOf("process", text, "alert:telegram", host);

describe("a mount", () => {
  it.each([
    ["/home", "Disk usage: 78G / 92G (95%) on /home"],
    ["/home", "/home is 96% full; root filesystem is fine at 30%"],
    ["/home", "/home partition at 91% (root at 40%)"],
    ["/home", "disk /home 97% used, /var 40% used"],
    ["/home", "Disk usage (/home) = 97%"],
    ["/home", "/home=97%"],
    ["/home", "Critical: /home disk usage = 97%"],
    ["/home", "Partition /home nearly full (93%)"],
    ["/home", "Disk at 95% on /home, cleaned /tmp"],
    ["/data", "/data: 93% used"],
    ["/data", "Partition `/data` nearly full (93%)"],
    ["/data", "Used space on **/data** is 93%"],
    ["/data", "93% of /data used"],
    ["/data", "Filesystem /dev/nvme0n1p2 (/data) at 93% capacity"],
    ["/data", "mount /data"],
    ["/data1", "Disk usage 93% on /data1"],
    ["/backup", "/backup is at 96%"],
    ["/storage", "/storage is 97% full"],
    ["/run", "/run is at 91% (tmpfs)"],
    ["/dev/shm", "Disk /dev/shm at 91%"],
    ["/mnt/HC_Volume_1234567", "/mnt/HC_Volume_1234567 at 90%"],
    ["/var", "Disk usage on /var."],
    ["/", "/: 93% used"],
    ["/", "Root filesystem (/) at 92%"],
    ["/", "root partition is at 92%"],
    ["/", "Disk usage for / reached 91% after logs in /var/log grew"],
    ["/", "Disk space 95% used on root filesystem; cleaned 3GB from /tmp"],
    ["/", "Filesystem /dev/sda1 mounted on / at 91%"],
  ])("is %s: %s", (subject, text) => expect(disk(text)).toMatchObject({ subject, isSure: true }));

  it.each([
    "Disk usage: 78G / 92G (95%)",
    "Disk 85% used (78G / 92G)",
    "read / write latency high on disk",
    "memory / disk usage at 95%",
    "Disk / memory at 95%",
    "Disk space at 90%: freed 2GB of /tmp files",
    "Disk usage high at 90%. Removed stale files at /tmp",
    "Disk at 90%, cleaned old files on /tmp",
    "Disk at 88% (/dev/sda1)",
    "Disk usage at 87%; root cause: docker disk images",
    "Disk usage at 87%; largest consumer of space is /var at 40G",
    "Disk usage on / and /home above 90%",
  ])("is none: %s", (text) => expect(disk(text)).toMatchObject({ subject: host, isSure: false }));
});

describe("a unit", () => {
  it.each([
    ["nginx", "nginx is down"],
    ["nginx", "nginx service is down"],
    ["nginx", "The nginx unit failed"],
    ["nginx", "service 'nginx' failed to start"],
    ["nginx", "Service nginx: inactive (dead)"],
    ["nginx", "Service nginx stopped unexpectedly"],
    ["nginx", "Service nginx (pid 4411) died"],
    ["nginx", "nginx.service failed; unrelated to the gateway"],
    ["redis", "Redis down"],
    ["fail2ban", "fail2ban is inactive"],
    ["argus-executor", "argus-executor is down"],
    ["docker.socket", "docker.socket failed"],
    ["memcached", "Service memcached is not running"],
    ["openclaw-gateway", "The gateway process is not listening on 127.0.0.1:18500"],
    ["openclaw-gateway", "Gateway is down"],
    ["openclaw-gateway", "nginx returned 502 because openclaw-gateway.service is down"],
    ["athena-web", "HTTP 504 Gateway Timeout from athena-web"],
  ])("is %s: %s", (subject, text) => expect(service(text)).toMatchObject({ subject, isSure: true }));

  it.each([
    ..."The service is not running|A service has failed|Services are down|Service unexpectedly stopped".split(
      "|",
    ),
    ..."completely probably still again now crashed quality users logs worker mesh account currently degraded"
      .split(" ")
      .map((word) => `Service ${word} is down`),
    ..."restarted discovery likely gracefully appears".split(" ").map((word) => `service ${word} stopped`),
    "service is down, unit file not found",
    "Unit tests are failing",
    "The website is down",
    "Connection is down",
    "Backup failed",
    "nginx returns 502 bad gateway",
    "HTTP 502 Bad Gateway from the web UI",
    "Default gateway 10.0.0.1 unreachable",
  ])("is none: %s", (text) => expect(service(text)).toMatchObject({ subject: host, isSure: false }));

  it("is not sure where two are named", () => {
    expect(service("nginx.service and web.service are down")).toMatchObject({
      subject: "nginx",
      isSure: false,
    });
  });
});

describe("a process", () => {
  it.each([
    "12 orphaned `node --test` workers",
    "4 orphan node test processes (PPID 1)",
    "Killed 3 orphaned test runners left over from /home/dev/project",
    "Stale test processes detected: pids 101, 102",
  ])("is an orphaned test run: %s", (text) =>
    expect(process(text)).toEqual({ subject: "node --test", condition: "orphan", isSure: true }),
  );

  it.each([
    "Orphaned chrome processes: 4",
    "Abandoned claude session pid 1234",
    "Runaway rustc using 390% CPU while running cargo test run",
    "Orphaned cargo test processes: 4",
    "Runaway process python3, test runner in /home/x",
  ])("is none of ours: %s", (text) =>
    expect(process(text)).toEqual({ subject: host, condition: "reported", isSure: false }),
  );
});

it("is the memory of the host only where no single process is meant", () => {
  const memory = (text: string) => aboutOf("memory", text, "none", host).isSure;
  expect(memory("Memory usage at 82% on vps, top is node (pid 312)")).toBe(true);
  expect(memory("Memory hog: claude PID 312 at 5.1 GB RSS")).toBe(false);
  expect(memory("node (PID 3133) using 82% of memory")).toBe(false);
});
