/** What goes below /var/log: rotated archives, in the folders of the services too, and nothing else. */
import { expect, test } from "vitest";
import { isRotatedArchive } from "../../../src/system/rotated-logs.ts";
import { makeMachine } from "./machine.ts";

const log = (name: string) => `/var/log/${name}`;

test("rotated archives go, also in the folders of services; present logs and the folders stay", async () => {
  const machine = makeMachine();
  const archives = [
    "nginx/access.log.1.gz",
    "apt/history.log.2.gz",
    "postgresql/postgresql-14-main.log.3.gz",
    "syslog.4.gz",
    "samba/cores/deep/log.smbd.2.xz",
    "messages-20261101.bz2",
    "httpd/error_log-20261101-1761955200.zst",
    "tomcat/catalina.2026-11-20.log.gz",
  ].map(log);
  const others = [
    "nginx/access.log",
    "nginx/access.log.1", // with delaycompress nginx may write on into it
    "syslog",
    "journal/0123/system.journal",
    "journal/0123/system@0001.log.1.gz",
    "audit/audit.log.1.gz",
    "installer/initial-status.gz",
    "mysql/db.sql.1.gz",
    "mysql/backup/all-20261101.gz",
    "site.tar.20261101.gz",
    ".hidden/x.log",
    "nginx/.secret.log.1.gz",
  ].map(log);
  for (const path of [...archives, ...others]) machine.file(path);
  machine.file(log("nginx/young.log.1.gz"));
  machine.makeYoung(log("nginx/young.log.1.gz"));
  machine.link(log("linked"), machine.folder("/srv/elsewhere"));
  machine.file("/srv/elsewhere/access.log.1.gz");
  const report = await machine.clean();
  expect(archives.filter(machine.exists)).toEqual([]);
  expect(
    [...others, log("nginx/young.log.1.gz"), "/srv/elsewhere/access.log.1.gz"].filter(
      (each) => !machine.exists(each),
    ),
  ).toEqual([]);
  expect(machine.exists(log("samba/cores/deep"))).toBe(true);
  expect(report).toMatchObject({ units: archives.length, errors: [] });
});

test("a folder that tmpfiles.d makes is looked into, one that it wants ignored is not", async () => {
  const machine = makeMachine();
  machine.file("/usr/lib/tmpfiles.d/a.conf", "d /var/log/postgresql 1775 root postgres -\nx /var/log/kept\n");
  for (const name of ["postgresql/a.log.1.gz", "kept/a.log.1.gz"]) machine.file(log(name));
  await machine.clean();
  expect(["postgresql/a.log.1.gz", "kept/a.log.1.gz"].map(log).filter(machine.exists)).toEqual([
    log("kept/a.log.1.gz"),
  ]);
});

test.each([
  ["daemon.log.12.gz", true],
  ["daemon.log.123.gz", false],
  ["syslog.gz", false],
  ["app-20261120T101500.log.gz", true],
  ["app.2026-11-20.0.log.gz", true],
  ["dump.1.gz", true],
  ["x.dump.1.gz", false],
  ["version-2.1", false],
  [".log.1.gz", false],
])("%s: %s", (name, rotated) => {
  expect(isRotatedArchive(name)).toBe(rotated);
});
