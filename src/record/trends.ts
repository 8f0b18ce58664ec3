/**
 * What only a look at the past can tell: when a disk will be full, how often systemd restarted a unit. Pure functions
 * over samples and the present snapshot.
 */
import * as z from "zod";
import type { Disk, Service } from "../types/facts.ts";
import { Moment, secondsBetween } from "../types/moment.ts";
import type { Snapshot } from "../types/snapshot.ts";

const hour = 3600;
const day = 24 * hour;
/** 24 h in 300 pieces; of each piece the newest sample is kept, so that cycles a second apart need no more room. */
const piece = day / 300;
const slopeWindow = 6 * hour;
const slopeSpanAtLeast = hour;
/** A year: "not in sight". */
const mostHours = 8760;
const mostEntities = 500;

/** Seconds on the file's own time line, and a number. */
const Sample = z.tuple([z.number(), z.number()]);
type Sample = z.infer<typeof Sample>;

const DiskTrend = z.strictObject({ device: z.string(), usedBytes: z.array(Sample) });
const ServiceTrend = z.strictObject({
  /** NRestarts at the last look. */
  last: z.number(),
  /** Restarts since the first look, whatever NRestarts was reset to in between. */
  total: z.array(Sample),
});

/**
 * Content of `history/trends.json`. Its time line is the sum of the time between looks, by the boot clock within one
 * boot: a wall clock that is set must not bend a slope.
 */
export const Trends = z.strictObject({
  version: z.literal(1),
  last: Moment.nullable(),
  seconds: z.number(),
  disks: z.record(z.string(), DiskTrend),
  services: z.record(z.string(), ServiceTrend),
  /** Watched services that were seen to be installed: one that is gone since is a problem, one never here is none. */
  installed: z.array(z.string()).default([]),
});
export type Trends = z.infer<typeof Trends>;

export const noTrends = (): Trends => ({
  version: 1,
  last: null,
  seconds: 0,
  disks: {},
  services: {},
  installed: [],
});

/** @returns the samples with those of this look, and the snapshot with the fields that need history filled in. */
export function observeTrends(
  trends: Trends,
  snapshot: Snapshot,
  now: Moment,
): { trends: Trends; snapshot: Snapshot } {
  const passed = trends.last === null ? 0 : secondsBetween(trends.last, now);
  const seconds = Math.round((trends.seconds + passed) * 10) / 10;
  const { disk, service } = snapshot.facts;
  const disks: Trends["disks"] = {};
  for (const one of (disk ?? []).slice(0, mostEntities)) {
    const before = trends.disks[one.mount];
    // Another device on the same mount point: what the former one held says nothing.
    const samples = before?.device === one.device ? before.usedBytes : [];
    disks[one.mount] = { device: one.device, usedBytes: withSample(samples, [seconds, one.usedBytes]) };
  }
  const services: Trends["services"] = {};
  for (const one of (service ?? []).slice(0, mostEntities)) {
    services[one.name] = withRestarts(trends.services[one.name], one.restarts, seconds);
  }
  const next: Trends = {
    version: 1,
    last: now,
    seconds,
    // What was not looked at in this cycle keeps its samples until they are a day old.
    disks: { ...fresh(trends.disks, ({ usedBytes }) => usedBytes, seconds), ...disks },
    services: { ...fresh(trends.services, ({ total }) => total, seconds), ...services },
    installed: service === undefined ? trends.installed : seenInstalled(trends.installed, service),
  };
  const facts = {
    ...snapshot.facts,
    ...(disk === undefined ? {} : { disk: disk.map((one) => withForecast(one, next, seconds)) }),
    ...(service === undefined
      ? {}
      : {
          service: service.map((one) => withPresence(withRecentRestarts(one, trends, next, seconds), next)),
        }),
  };
  return { trends: next, snapshot: { ...snapshot, facts } };
}

/** One that argus.json does not name any more is forgotten. */
function seenInstalled(before: readonly string[], services: readonly Service[]): string[] {
  const watched = services.filter((one) => one.watched);
  const seen = watched.filter((one) => one.wasInstalled || before.includes(one.name));
  return seen.map(({ name }) => name).slice(0, mostEntities);
}

function withPresence(service: Service, { installed }: Trends): Service {
  const wasInstalled = service.wasInstalled || installed.includes(service.name);
  if (!wasInstalled || service.status !== "not-installed") return { ...service, wasInstalled };
  const gone = { status: "down", down: true, downBecause: "removed", downWhy: "its unit file is gone" };
  return { ...service, wasInstalled, ...gone };
}

/** Samples of the last 24 hours, and one older one, from which the count of a whole day begins. */
function withSample(samples: readonly Sample[], sample: Sample): Sample[] {
  const [now] = sample;
  const newest = samples.at(-1);
  const samePiece = newest !== undefined && Math.floor(newest[0] / piece) === Math.floor(now / piece);
  const kept = samePiece && samples.length > 1 ? samples.slice(0, -1) : samples;
  const firstOfDay = kept.findIndex(([at]) => at > now - day);
  return [...(firstOfDay === -1 ? kept.slice(-1) : kept.slice(Math.max(0, firstOfDay - 1))), sample];
}

function fresh<T>(
  entries: Readonly<Record<string, T>>,
  samplesOf: (entry: T) => readonly Sample[],
  now: number,
): Record<string, T> {
  const recent = Object.entries(entries).filter(
    ([, entry]) => (samplesOf(entry).at(-1)?.[0] ?? 0) > now - day,
  );
  return Object.fromEntries(recent.slice(-mostEntities));
}

function withForecast(disk: Disk, { disks }: Trends, now: number): Disk {
  const samples = disks[disk.mount]?.usedBytes ?? [];
  const recent = samples.filter(([at]) => at >= now - slopeWindow);
  const first = recent[0];
  if (first === undefined || now - first[0] < slopeSpanAtLeast) return { ...disk, fullInHours: null };
  const bytesPerHour = slope(recent) * hour;
  const hours = bytesPerHour > 0 ? disk.availableBytes / bytesPerHour : mostHours;
  return { ...disk, fullInHours: Math.min(mostHours, Math.max(0, hours)) };
}

/** Least squares: change a second. Centred first, as 10^12 bytes squared would leave no digits for the difference. */
export function slope(samples: readonly Sample[]): number {
  const mean = (index: 0 | 1) => samples.reduce((sum, sample) => sum + sample[index], 0) / samples.length;
  const [meanAt, meanValue] = [mean(0), mean(1)];
  let covariance = 0;
  let variance = 0;
  for (const [at, value] of samples) {
    covariance += (at - meanAt) * (value - meanValue);
    variance += (at - meanAt) ** 2;
  }
  return variance === 0 ? 0 : covariance / variance;
}

function withRestarts(
  before: Trends["services"][string] | undefined,
  restarts: number,
  now: number,
): Trends["services"][string] {
  if (before === undefined) return { last: restarts, total: [[now, 0]] };
  // NRestarts falls when somebody starts the unit anew: what it shows then has happened since.
  const rose = restarts >= before.last ? restarts - before.last : restarts;
  const total = (before.total.at(-1)?.[1] ?? 0) + rose;
  // Of a stretch without restarts its two ends say all: most units never restart.
  const still = before.total.length > 1 && before.total.slice(-2).every((sample) => sample[1] === total);
  const samples = still ? before.total.slice(0, -1) : before.total;
  return { last: restarts, total: withSample(samples, [now, total]) };
}

function withRecentRestarts(service: Service, before: Trends, { services }: Trends, now: number): Service {
  if (before.services[service.name] === undefined) {
    return { ...service, restartsLastHour: null, restarts24h: null };
  }
  const samples = services[service.name]?.total ?? [];
  const total = samples.at(-1)?.[1] ?? 0;
  /** The count at the start of the window: at the last look before it, or at the very first look. */
  const since = (seconds: number) =>
    total - (samples.findLast(([at]) => at <= now - seconds) ?? samples[0] ?? [0, 0])[1];
  return { ...service, restartsLastHour: since(hour), restarts24h: since(day) };
}
