/**
 * Prometheus's Alertmanager, API v2: https://prometheus.io/docs/alerting/latest/clients/. It groups, routes and silences
 * by labels, so a problem has the same ones from its first message to its end. It forgets an alert at `endsAt`, so what
 * holds is said again by every cycle, and ends by itself when Argus is gone.
 */
import { stringify } from "../../system/printable.ts";
import type { HttpResponse } from "../../system/system.ts";
import type { ProblemNote } from "../../types/action.ts";
import type { ChannelAccounts } from "../../types/channels.ts";
import type { Firing, Memory } from "../delivery-state.ts";
import { type Alert, identityOf, postApart } from "./alerts-apart.ts";
import { type Attempt, type ChannelRow, type Parcel, refused, type Sent } from "./channel.ts";
import { persist } from "./persist.ts";
import { post, unfitStatuses } from "./web.ts";

type Account = ChannelAccounts["alertmanager"];

/** As Prometheus does it: an alert outlives four missed cycles, and five minutes at the least. */
const missedCycles = 4;
const shortestSeconds = 75;
/**
 * An end that lies ahead of Alertmanager's clock, be it by a moment, does not end an alert there: the time until which
 * it was to hold wins. So an end, too, is said again, for as long as Prometheus says it.
 */
const overForSeconds = 900;
const mostClockDifferenceSeconds = 60;
const mostAlerts = 500;

export const alertmanager: ChannelRow<"alertmanager"> = {
  paceMs: 200,
  ownForms: true,
  describe: ({ url }) => `Alertmanager at ${new URL(url).host}`,
  async send(account, parcel, memory, attempt) {
    const nowMs = attempt.clock.now().wallMs;
    if (parcel.kind === "test") return postAlerts(account, [testAlert(parcel, nowMs)], attempt);
    const { alerts, firing, over } = changes(parcel, memory, nowMs, holdUntilOf(attempt));
    // A summary is about no problem; there is nobody to tell.
    if (alerts.length === 0) return { kind: "sent", detail: "it holds no problem, so there was no alert" };
    const { sent, refusals, reworded } = await postApart(
      (some) => postAlerts(account, some, attempt),
      alerts,
    );
    const [first] = refusals;
    if (sent.kind === "later" || (sent.kind === "refused" && sent.of === "channel")) return sent;
    const asTaken = <T extends Omit<Alert, "endsAt">>(alert: T): T => ({
      ...alert,
      ...reworded.get(identityOf(alert)),
    });
    const refusedKeys = refusals.flatMap(({ alert: { labels } }) => labels["problem"] ?? []);
    const held = Object.entries(bounded(firing)).filter(([key]) => !refusedKeys.includes(key));
    const after = {
      // Under the labels with which it was taken it is held, and ends.
      firing: Object.fromEntries(held.map(([key, alert]) => [key, asTaken(alert)])),
      over: over.map(asTaken),
    };
    if (first === undefined) return sent.kind === "sent" ? { ...sent, memory: after } : sent;
    return { ...refused("message", first.error), problems: refusedKeys, memory: after };
  },
  refresh(account, open, { firing = {}, over = [] }, attempt) {
    const endsAt = holdUntilOf(attempt);
    const held = Object.entries(firing).flatMap(([key, alert]) =>
      open.has(key) ? [lasting(alert, endsAt)] : [],
    );
    const alerts = [...held, ...recent(over, attempt.clock.now().wallMs)];
    if (alerts.length === 0) return null;
    return postApart((some) => postAlerts(account, some, attempt), alerts).then(({ sent }) => sent);
  },
};

function holdUntilOf({ clock, intervalSeconds }: Attempt): string {
  return iso(clock.now().wallMs + missedCycles * Math.max(shortestSeconds, intervalSeconds) * 1000);
}

/** What these notes make of what was firing, and what there is to say for it: one alert for each set of labels. */
function changes(
  { kind, host, notes }: Parcel,
  before: Pick<Memory, "firing" | "over">,
  nowMs: number,
  holdUntil: string,
): { alerts: Alert[]; firing: Record<string, Firing>; over: Alert[] } {
  const firing: Record<string, Firing> = { ...before.firing };
  const over = new Map(recent(before.over ?? [], nowMs).map((alert) => [identityOf(alert), alert]));
  const alerts = new Map<string, Alert>();
  const say = (alert: Alert) => {
    alerts.set(identityOf(alert), alert);
    over.delete(identityOf(alert));
  };
  const end = (alert: Omit<Alert, "endsAt">, { at }: ProblemNote) => {
    const ended = lasting(alert, earlier(at, iso(nowMs)));
    say(ended);
    over.set(identityOf(ended), ended);
  };
  for (const note of notes) {
    const known = firing[note.problem];
    // A digest comes after critical messages that are younger than what it tells.
    if (kind === "digest" && known !== undefined && known.at > note.at) continue;
    const annotations = annotationsOf(note);
    if (note.state === "resolved") {
      end({ labels: labelsOf(host, note), startsAt: note.since ?? note.at, ...known, annotations }, note);
      delete firing[note.problem];
      continue;
    }
    // One that was taken in other words keeps them for as long as it is the same alert.
    const isSame = known?.labels["severity"] === note.severity;
    const alert = {
      labels: known !== undefined && isSame ? known.labels : labelsOf(host, note),
      annotations,
      startsAt: note.since ?? known?.startsAt ?? note.at,
    };
    // Another severity is another alert for Alertmanager: the one before it is over.
    if (known !== undefined && identityOf(known) !== identityOf(alert)) end(known, note);
    say(lasting(alert, holdUntil));
    firing[note.problem] = { ...alert, at: note.at };
  }
  return { alerts: [...alerts.values()], firing, over: [...over.values()].slice(-mostAlerts) };
}

/** The clock may have been set back since it began, and Alertmanager takes no end before the start. */
function lasting({ labels, annotations, startsAt }: Omit<Alert, "endsAt">, endsAt: string): Alert {
  return { labels, annotations, startsAt: earlier(startsAt, endsAt), endsAt };
}

const earlier = (one: string, other: string): string => (Date.parse(one) < Date.parse(other) ? one : other);

const recent = (over: readonly Alert[], nowMs: number): readonly Alert[] =>
  over.filter(({ endsAt }) => nowMs - Date.parse(endsAt) < overForSeconds * 1000);

function labelsOf(host: string, { type, subject, severity, problem }: ProblemNote): Record<string, string> {
  return {
    alertname: `Argus${type.charAt(0).toUpperCase()}${type.slice(1)}`,
    host,
    instance: host,
    type,
    subject: subject.slice(0, 1024).toWellFormed(),
    severity,
    problem,
  };
}

function annotationsOf({ summary, problem, advice }: ProblemNote): Record<string, string> {
  return {
    summary: summary.toWellFormed(),
    explain: `argus explain ${problem}`,
    ...(advice === undefined ? {} : { advice: advice.toWellFormed() }),
  };
}

function testAlert({ host, text }: Parcel, nowMs: number): Alert {
  const labels = { alertname: "ArgusTest", host, instance: host, type: "argus", severity: "info" };
  return { labels, annotations: { summary: text }, startsAt: iso(nowMs), endsAt: iso(nowMs + 60_000) };
}

const iso = (wallMs: number): string => new Date(wallMs).toISOString();

/** The newest ones: what began longest ago is said again last. */
function bounded(firing: Record<string, Firing>): Record<string, Firing> {
  const entries = Object.entries(firing).sort(([, a], [, b]) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  return Object.fromEntries(entries.slice(-mostAlerts));
}

function postAlerts(account: Account, alerts: readonly Alert[], attempt: Attempt): Promise<Sent> {
  const { name, url, authorization, timeoutSeconds } = account;
  const who = name === "alertmanager" ? "Alertmanager" : `the Alertmanager ${name}`;
  const wanted = {
    who,
    channel: name,
    url: `${url.replace(/\/+$/, "")}/api/v2/alerts`,
    headers: {},
    body: stringify(alerts),
    timeoutSeconds,
    authorization,
    unfit: unfitStatuses,
    remark: ({ headers }: HttpResponse) => clockRemark(who, headers["date"], attempt.clock.now().wallMs),
  };
  return persist(who, attempt, (leftMs) => post(wanted, attempt, leftMs));
}

/** Times are compared with the clock over there, whose time is in every answer. */
function clockRemark(who: string, date: string | undefined, nowMs: number): string | null {
  const seconds = Math.round((Date.parse(date ?? "") - nowMs) / 1000);
  if (!(Math.abs(seconds) > mostClockDifferenceSeconds)) return null;
  const difference = `${Math.abs(seconds)} s ${seconds < 0 ? "behind" : "ahead of"}`;
  return `the clock of ${who} is ${difference} the one here, so that alerts may end too early or too late; set both by NTP (timedatectl)`;
}
