/** Twenty-four hours of random trouble on a simulated host. The same seed makes the same day. */
import { randomInt } from "node:crypto";
import { clearPause, writePause } from "../../../src/execute/pause.ts";
import { changeSilences, newSilenceId } from "../../../src/execute/silences.ts";
import { type Argus, createArgus } from "./argus.ts";
import { channels, createHost, type Host, paths, type Site } from "./host.ts";
import { createRandom, type Random } from "./time.ts";
import type { Death, Unit, UnitForm } from "./units.ts";

const forms: readonly UnitForm[] = [
  { id: "alpha.service" },
  { id: "beta.service", startSeconds: 8 },
  { id: "gamma.service" },
  { id: "delta.service" },
  { id: "db.service" },
  { id: "app.service", bindsTo: ["db.service"] },
  { id: "worker@1.service" },
  { id: "httpd.service", aliases: ["www.service"], watchedAs: "www" },
  { id: "loop.service", restartSeconds: 5 },
  { id: "hidden.service", unitFileState: "disabled" },
  { id: "backup.timer" },
  {
    id: "backup.service",
    type: "oneshot",
    unitFileState: "static",
    triggeredBy: ["backup.timer"],
    rests: true,
  },
  { id: "chat.socket" },
  { id: "chat.service", unitFileState: "static", triggeredBy: ["chat.socket"], rests: true },
  { id: "stray.service", watchedAs: null },
];

/** argus.json names httpd by its other name, and does not name stray. */
const services = [
  { unit: "alpha", restart: true },
  { unit: "beta", restart: true },
  { unit: "gamma" },
  { unit: "delta", restart: true, endpoint: { url: "http://127.0.0.1:8081/" } },
  { unit: "db", restart: true },
  { unit: "app", restart: true, requires: ["db"] },
  { unit: "worker@1", restart: true },
  { unit: "www", restart: true },
  { unit: "loop", restart: true },
  { unit: "hidden", restart: true },
  { unit: "backup", restart: true },
  { unit: "chat", restart: true },
];
const crashing = [
  "alpha",
  "beta",
  "gamma",
  "delta",
  "db",
  "app",
  "worker@1",
  "httpd",
  "loop",
  "hidden",
  "stray",
];

const minute = 60_000;
export const dayMs = 24 * 60 * minute;

export interface Day {
  readonly host: Host;
  readonly argus: Argus;
  readonly events: number;
}

export async function simulateDay(root: string, seed: number, lengthMs = dayMs): Promise<Day> {
  const random = createRandom(seed);
  const sites: Site[] = [
    { name: "delta", url: "http://127.0.0.1:8081/", unit: "delta.service", brokenUntilMs: 0 },
    { name: "shop", url: "http://127.0.0.1:9000/", unit: null, brokenUntilMs: 0 },
  ];
  const host = createHost(root, forms, sites);
  const settings = (without: readonly string[] = []) => ({
    services: services.filter(({ unit }) => !without.includes(unit)),
    endpoints: [{ name: "shop", url: "http://127.0.0.1:9000/" }],
    tickets: { enabled: false },
    channels,
    maintenance: [{ name: "night", from: "03:00", to: "03:40", subjects: ["alpha", "shop"] }],
  });
  const configure = (without: readonly string[] = []) =>
    host.put(paths.config, JSON.stringify(settings(without)));
  configure();
  for (const subject of ["alpha", "shop"])
    host.record({ kind: "maintenance", subject, fromMs: 180 * minute, toMs: 220 * minute });
  const argus = createArgus(host);
  const giveBack = host.time.takeTimers();
  try {
    host.manager.boot();
    const hidden = host.manager.find("hidden.service");
    if (hidden !== undefined) host.manager.start(hidden, "person");
    host.noteSites();
    await host.time.runUntil(10_000);
    argus.boot();
    const day = { host, argus, random, configure, isOff: false };
    let events = 0;
    const calmUntilMs = 5 * minute;
    // The last half hour is calm, so that what began has its end.
    for (let at = calmUntilMs; at < lengthMs - 90 * minute; at += random.between(20_000, 7 * minute)) {
      host.time.after(at - host.time.nowMs(), () => {
        if (day.isOff) return;
        happen(day);
        events += 1;
      });
    }
    keepHouse(day, lengthMs);
    await host.time.runUntil(lengthMs);
    return { host, argus, events };
  } finally {
    argus.kill();
    giveBack();
  }
}

interface Present {
  readonly host: Host;
  readonly argus: Argus;
  readonly random: Random;
  readonly configure: (without?: readonly string[]) => void;
  /** The power is off. */
  isOff: boolean;
}

const unitOf = ({ host }: Present, name: string): Unit => {
  const unit = host.manager.find(`${name}.service`);
  if (unit === undefined) throw new Error(`no unit ${name}`);
  return unit;
};
const later = ({ host, random }: Present, least: number, most: number, act: () => void) =>
  host.time.after(random.between(least, most), act);

/** Timers that fire, sockets that are called, and a person who looks after what stays down. */
function keepHouse(day: Present, lengthMs: number): void {
  const { host, random } = day;
  for (let at = 30 * minute; at < lengthMs; at += 60 * minute)
    host.time.after(at, () => {
      const backup = unitOf(day, "backup");
      if (day.isOff || backup.active === "active") return;
      host.manager.start(backup, "systemd");
      host.time.after(20_000, () => host.manager.die(backup, "success", "its run is over"));
    });
  const downSince = new Map<string, number>();
  for (let at = minute; at < lengthMs; at += minute)
    host.time.after(at, () => {
      if (day.isOff) return;
      for (const unit of host.manager.units.values()) {
        const isDown = unit.active === "failed" || (unit.active === "inactive" && unit.form.rests !== true);
        const name = unit.form.id;
        if (!isDown || unit.load !== "loaded" || unit.stopped === "person" || name === "hidden.timer") {
          downSince.delete(name);
          continue;
        }
        const since = downSince.get(name) ?? host.time.nowMs();
        downSince.set(name, since);
        if (host.time.nowMs() - since < 45 * minute || random.chance(0.9)) continue;
        unit.failsUntilMs = 0;
        host.manager.start(unit, "person");
      }
    });
}

const deaths: readonly Death[] = ["signal", "exit-code", "success"];

const troubles: readonly { readonly weight: number; readonly act: (day: Present) => void }[] = [
  { weight: 20, act: crash },
  { weight: 6, act: crashWithBadStart },
  { weight: 3, act: crashWithSlowStart },
  { weight: 5, act: crashLoop },
  { weight: 6, act: personStops },
  { weight: 2, act: personMasks },
  { weight: 2, act: personRemoves },
  { weight: 2, act: personRestartsEarly },
  { weight: 6, act: breakSite },
  { weight: 2, act: fillDisk },
  { weight: 3, act: silence },
  { weight: 2, act: pause },
  { weight: 2, act: busTrouble },
  { weight: 2, act: journalTrouble },
  { weight: 2, act: executorTrouble },
  { weight: 2, act: restartArgus },
  { weight: 1, act: channelTrouble },
  { weight: 1, act: jumpClock },
  { weight: 1, act: reboot },
  { weight: 2, act: unwatch },
  { weight: 2, act: callChat },
  { weight: 1, act: storm },
];

function happen(day: Present): void {
  const sum = troubles.reduce((total, { weight }) => total + weight, 0);
  let at = day.random.between(0, sum);
  const chosen = troubles.find(({ weight }) => {
    at -= weight;
    return at <= 0;
  });
  chosen?.act(day);
}

function crash(day: Present): void {
  day.host.manager.die(unitOf(day, day.random.pick(crashing)), day.random.pick(deaths), "it died");
}

/** Dies, and cannot be started for some minutes. */
function crashWithBadStart(day: Present): void {
  const unit = unitOf(day, day.random.pick(crashing));
  unit.failsUntilMs = day.host.time.nowMs() + day.random.between(0.5, 12) * minute;
  day.host.manager.die(unit, "exit-code", "it died, and its start fails for some time");
}

/** Its next start takes long, and is still within the limit of its file. */
function crashWithSlowStart(day: Present): void {
  const unit = unitOf(day, day.random.pick(crashing));
  unit.slowSeconds = day.random.between(20, 88);
  day.host.manager.die(unit, "signal", "it died, and its start takes long");
}

/** Runs for some seconds each time. */
function crashLoop(day: Present): void {
  const unit = unitOf(day, day.random.pick(crashing));
  let left = Math.floor(day.random.between(2, 8));
  const die = () => {
    day.host.manager.die(unit, day.random.pick(["signal", "exit-code"]), "it crashes again and again");
    left -= 1;
    if (left > 0) later(day, 2_000, 90_000, die);
  };
  die();
}

function personStops(day: Present): void {
  const unit = unitOf(day, day.random.pick(crashing));
  day.host.manager.stop(unit);
  later(day, 20_000, 40 * minute, () => {
    if (unit.load === "loaded" && unit.active !== "active" && !day.isOff)
      day.host.manager.start(unit, "person");
  });
}

function personMasks(day: Present): void {
  const unit = unitOf(day, day.random.pick(["alpha", "gamma", "worker@1"]));
  day.host.manager.stop(unit);
  day.host.manager.mask(unit, true);
  later(day, 5 * minute, 40 * minute, () => {
    day.host.manager.mask(unit, false);
    if (!day.isOff) day.host.manager.start(unit, "person");
  });
}

function personRemoves(day: Present): void {
  const unit = unitOf(day, day.random.pick(["alpha", "beta", "stray"]));
  day.host.manager.stop(unit);
  later(day, 1_000, 30_000, () => day.host.manager.remove(unit));
  later(day, 5 * minute, 40 * minute, () => {
    day.host.manager.bringBack(unit);
    if (!day.isOff) day.host.manager.start(unit, "person");
  });
}

/** Before Argus can: what helped was not Argus. */
function personRestartsEarly(day: Present): void {
  const unit = unitOf(day, day.random.pick(crashing));
  unit.failsUntilMs = day.host.time.nowMs() + 20_000;
  day.host.manager.die(unit, "signal", "it died");
  later(day, 21_000, 50_000, () => {
    if (unit.active !== "active" && unit.load === "loaded" && !day.isOff)
      day.host.manager.start(unit, "person");
  });
}

function breakSite(day: Present): void {
  const site = day.random.pick(day.host.sites);
  day.host.breakSite(site, day.host.time.nowMs() + day.random.between(0.1, 15) * minute);
}

function fillDisk(day: Present): void {
  day.host.setDisk(day.random.between(91, 96));
  later(day, 30_000, 70 * minute, () => day.host.setDisk(day.random.between(40, 70)));
}

function silence(day: Present): void {
  const { host, argus, random } = day;
  const subject = random.pick(["alpha", "beta", "gamma", "delta", "db", "app", "shop"]);
  const forMs = random.between(2, 30) * minute;
  const { files, clock } = argus.executorSystem();
  changeSilences(
    files,
    paths.executor,
    clock.now(),
    () => {},
    (all) => [
      ...all,
      {
        id: newSilenceId(all),
        match: { subject },
        since: new Date(host.nowWallMs()).toISOString(),
        until: new Date(host.nowWallMs() + forMs).toISOString(),
        reason: "",
        by: "ann",
        actions: random.chance(0.3),
      },
    ],
  );
  host.record({ kind: "silence", subject, forMs: Math.round(forMs) });
}

function pause(day: Present): void {
  const { host, argus, random } = day;
  const forMs = random.between(2, 20) * minute;
  const { files } = argus.executorSystem();
  const pauseOf = {
    until: new Date(host.nowWallMs() + forMs).toISOString(),
    reason: "",
    since: new Date(host.nowWallMs()).toISOString(),
  };
  writePause(files, paths.executor, pauseOf, () => {});
  host.record({ kind: "pause", subject: "argus", forMs: Math.round(forMs) });
  if (random.chance(0.5))
    later(day, minute, forMs, () => {
      clearPause(argus.executorSystem().files, paths.executor, () => {});
      host.record({ kind: "pause", subject: "argus", forMs: 0 });
    });
}

function busTrouble(day: Present): void {
  if (day.host.bus.state() !== "answers") return;
  day.host.setBus(day.random.pick(["silent", "gone"]));
  later(day, 10_000, 4 * minute, () => day.host.setBus("answers"));
}

function journalTrouble(day: Present): void {
  day.host.setJournalFails(true);
  later(day, minute, 10 * minute, () => day.host.setJournalFails(false));
}

function executorTrouble(day: Present): void {
  day.host.setExecutorAway(true);
  later(day, 10_000, 6 * minute, () => day.host.setExecutorAway(false));
}

function restartArgus(day: Present): void {
  if (day.random.chance(0.5)) day.argus.kill();
  else day.argus.stop();
  later(day, 1_000, 60_000, () => {
    if (!day.isOff) day.argus.start();
  });
}

function channelTrouble(day: Present): void {
  day.host.setChannelFails(true);
  later(day, 10 * minute, 60 * minute, () => day.host.setChannelFails(false));
}

function jumpClock(day: Present): void {
  day.host.jumpClock(day.random.pick([-1, 1]) * Math.round(day.random.between(1, 20) * minute));
}

function reboot(day: Present): void {
  day.isOff = true;
  day.argus.powerOff();
  day.host.powerOff();
  later(day, 15_000, 90_000, () => {
    day.isOff = false;
    day.host.boot();
    later(day, 3_000, 20_000, () => day.argus.boot());
    later(day, 60_000, 30 * minute, () => {
      const hidden = unitOf(day, "hidden");
      if (!day.isOff && hidden.active !== "active") day.host.manager.start(hidden, "person");
    });
  });
}

function unwatch(day: Present): void {
  const name = day.random.pick(["gamma", "worker@1", "app"]);
  day.configure([name]);
  day.argus.reload();
  day.host.record({ kind: "watch", subject: name, state: "off" });
  later(day, 5 * minute, 30 * minute, () => {
    day.configure();
    day.argus.reload();
    day.host.record({ kind: "watch", subject: name, state: "on" });
  });
}

function callChat(day: Present): void {
  const chat = unitOf(day, "chat");
  if (chat.active === "active" || chat.load !== "loaded") return;
  day.host.manager.start(chat, "systemd");
  later(day, 10_000, 120_000, () => day.host.manager.die(chat, "success", "nobody talks any more"));
}

/** Most of what runs dies within a second. */
function storm(day: Present): void {
  for (const name of crashing)
    if (day.random.chance(0.7))
      later(day, 0, 1_000, () =>
        day.host.manager.die(unitOf(day, name), "signal", "it died with many others"),
      );
}

/** For a day of its own. */
export const anySeed = (): number => randomInt(2 ** 31);
