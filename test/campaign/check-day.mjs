/**
 * Checks a day's messages against the host's own record. It shares no code with Argus: what it believes of a message is
 * what stands in it, and what it believes of the host is what the host wrote down.
 *
 *   node test/campaign/check-day.mjs RECORD RECEIVED
 */
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

/** Labels of the end of a problem, of a repair that nobody was alerted about, and of a problem that nobody watches any more. */
const labels = {
  end: ["RECOVERED", "RESOLVED"],
  repaired: ["REPAIRED"],
  closed: ["CLOSED"],
  firing: ["CRITICAL", "WARNING", "INFO"],
};
const flappingWords = /comes and goes|flapping/i;

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
/** After so long without a repair people must know. */
const mustBeToldMs = minute;
const dedupMs = hour;
/** While it flaps, three windows; its end is told when it has been calm for an hour. */
const flappingOpenings = 3;
/**
 * What is later than the law says, in milliseconds, and why.
 * cycle: a cycle restarts one unit after the other, each 2 s for the start and 3 s of settle time; four at once.
 * bell: after a burst of ten wake-ups one in 5 s.
 * service: the minute may end between two cycles of the schedule, so an interval more.
 * endpoint: two looks of the schedule in a row, each an interval apart, and 5 s for an answer.
 * disk: the pulse looks every 5 s, the schedule every interval.
 * delivery: Telegram takes a message a second, and a channel that failed is tried again after two minutes at most.
 */
const cycleMs = 20 * second;
const bellMs = 5 * second;
const tolerance = (intervalMs) => ({
  service: intervalMs + cycleMs + bellMs,
  endpoint: 2 * intervalMs + 5 * second + cycleMs,
  disk: intervalMs + cycleMs + bellMs,
});
const deliveryMs = 140 * second;
/** How old what a message says may be when it is written: the snapshot is from the beginning of its cycle. */
const staleMs = cycleMs + bellMs;

const parse = (text) =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));

/** Spans [from, to) in which a state holds. */
function timelines(record, endMs) {
  const lines = new Map();
  for (const { t, kind, subject, state, ...more } of record) {
    if (subject === undefined || state === undefined) continue;
    const key = `${kind} ${subject}`;
    const spans = lines.get(key) ?? [];
    const last = spans.at(-1);
    if (last !== undefined) last.to = t;
    spans.push({ from: t, to: endMs, state, ...more });
    lines.set(key, spans);
  }
  return lines;
}

const overlap = (spans, from, to) => spans.filter((span) => span.from < to && span.to > from);

/** The first moment from which on so much time has passed that no span covers; null: never before `to`. */
function afterUncovered(from, amountMs, covered, to) {
  const sorted = overlap(covered, from, to).sort((a, b) => a.from - b.from);
  let at = from;
  let left = amountMs;
  for (const span of sorted) {
    if (span.from > at) {
      if (span.from - at >= left) return at + left;
      left -= span.from - at;
    }
    at = Math.max(at, span.to);
  }
  return at + left <= to ? at + left : null;
}

export function check(record, received) {
  const base = record.find(({ kind }) => kind === "base");
  const intervalMs = base.intervalSeconds * second;
  const late = tolerance(intervalMs);
  const endMs = Math.max(...record.map(({ t }) => t), ...received.map(({ t }) => t)) + 1;
  const lines = timelines(record, endMs);
  const violations = [];
  const counts = {
    outages: 0,
    "outages over a minute": 0,
    "shorter, repaired by Argus": 0,
    "held back by the dedup window or flapping": 0,
    messages: 0,
    "said in them": 0,
  };
  const spansOf = (kind, subject) => lines.get(`${kind} ${subject}`) ?? [];
  const downs = (kind, subject) => spansOf(kind, subject).filter(({ state }) => state === "down");
  const argusAway = [...downs("argus", "argus"), ...downs("host", "host")];
  const busAway = downs("bus", "bus");
  const journalAway = downs("journal", "journal");
  const clocks = [{ t: 0, offsetMs: 0 }, ...record.filter(({ kind }) => kind === "clock")];

  const hasJumped = (from, to) => clocks.slice(1).some(({ t }) => t >= from && t <= to);

  /** True time of what the host's own clock said, as late as it may have been. */
  function trueTime(iso, notAfter) {
    const wall = Date.parse(iso) - base.wallMs;
    const fits = clocks.flatMap(({ t, offsetMs }, index) => {
      const at = wall - offsetMs;
      const until = clocks[index + 1]?.t ?? Number.POSITIVE_INFINITY;
      return at >= t - 2 * second && at <= until + 2 * second && at <= notAfter + 2 * second ? [at] : [];
    });
    return fits.length === 0
      ? null
      : { at: Math.max(...fits), isUnsure: Math.max(...fits) - Math.min(...fits) > 5 * second };
  }

  const hidden = (kind, subject) => {
    const quiet = record.flatMap((line) => {
      if (line.subject !== subject) return [];
      if (line.kind === "silence") return [{ from: line.t, to: line.t + line.forMs }];
      // By the host's own clock, whatever that is set to.
      if (line.kind !== "maintenance") return [];
      return clocks.map(({ offsetMs }) => ({ from: line.fromMs - offsetMs, to: line.toMs - offsetMs }));
    });
    const unwatched = spansOf("watch", subject).filter(({ state }) => state === "off");
    // Who sets the clock moves the end of a silence, and nobody could say where to.
    const shaken = clocks.slice(1).map(({ t }) => ({ from: t - 20 * minute, to: t + 20 * minute }));
    const shakenQuiet = quiet.flatMap((span) =>
      overlap(shaken, span.from, span.to).map((each) => ({
        from: Math.min(span.from, each.from),
        to: Math.max(span.to, each.to) + 20 * minute,
      })),
    );
    // Without systemd nobody sees a service, and the endpoints of services are probed only where it is known.
    const unseen = kind === "disk" || subject === "shop" ? [] : busAway;
    return [...quiet, ...shakenQuiet, ...unwatched, ...argusAway, ...unseen];
  };

  const told = readMessages(received, trueTime, violations, counts);
  const about = (kind, subject) =>
    told.filter(
      (each) =>
        each.subject === subject &&
        // One that systemd starts again and again: its beginning is told by that.
        (!each.isLoop || each.isFiring) &&
        (each.type === kind ||
          each.key.startsWith(`${kind}:`) ||
          (kind === "endpoint" && each.key.startsWith("service:"))),
    );

  const fault = (rule, subject, at, text) => violations.push({ rule, subject, t: Math.round(at), text });

  // The law of notification, and the end of what was announced.
  for (const key of lines.keys()) {
    const [kind, subject] = [key.slice(0, key.indexOf(" ")), key.slice(key.indexOf(" ") + 1)];
    if (!["service", "endpoint", "disk"].includes(kind)) continue;
    const spans = spansOf(kind, subject);
    const covered = hidden(kind, subject);
    const messages = about(kind, subject);
    const outages = merge(spans);
    for (const outage of outages) {
      const { from, to } = outage;
      const after = spans.find((span) => span.from === to);
      counts.outages += 1;
      if (to - from >= mustBeToldMs) counts["outages over a minute"] += 1;
      const due = afterUncovered(from, mustBeToldMs + late[kind], covered, to);
      const firing = messages.filter(
        (each) => each.isFiring && each.at >= from - second && each.at <= to + staleMs,
      );
      const ended = messages.filter((each) => !each.isFiring && each.at >= to - second);
      // A service and its endpoint are one problem.
      const all = merge([
        ...spansOf("service", subject),
        ...spansOf("endpoint", subject),
        ...(kind === "disk" ? spans : []),
      ]);
      const openings = all.filter((each) => each.from > from - hour && each.from <= from).length;
      const heldBack = isHeldBack(messages, from, due, openings);
      if (
        due !== null &&
        !firing.some(({ at }) => at <= due) &&
        !heldBack &&
        !isFolded(messages, from, due)
      ) {
        const first = firing[0];
        fault(
          first === undefined ? "no message at the beginning" : "late message at the beginning",
          subject,
          from,
          `${kind} ${subject} was down for ${span(to - from)} (${outage.cause ?? ""}); a message was due ${span(due - from)} after its beginning${first === undefined ? ", and none came" : `, and came after ${span(first.at - from)}`}`,
        );
      }
      // Its endpoint is still down: the problem goes on, and is over with that.
      const isHalf =
        kind === "service" &&
        overlap(spansOf("endpoint", subject), to, to + 1).some(({ state }) => state === "down");
      if (firing.some((each) => !each.isLoop) && after !== undefined && !isHalf) {
        const next = all.find((each) => each.from > to || (each.from > from && each.to > to));
        // By its own clock, which may jump, Argus may have counted otherwise: what it said counts.
        const flaps = openings >= flappingOpenings || firing.some(({ block }) => flappingWords.test(block));
        const calm = flaps ? hour + 2 * intervalMs : 0;
        const dueEnd = afterUncovered(to, late[kind] + calm, [...argusAway, ...busAway], endMs);
        // The next outage of the same problem goes on with it.
        const goesOn = next !== undefined && (dueEnd === null || next.from <= dueEnd);
        const isClosed = after.state !== "up" && after.state !== "resting";
        if (
          // A unit whose file is gone is still down, and its end is awaited.
          after.state !== "removed" &&
          dueEnd !== null &&
          !goesOn &&
          !ended.some(({ at }) => at <= dueEnd) &&
          !isFolded(messages, to, dueEnd)
        )
          fault(
            isClosed ? "no message that it was closed" : "no message at the end",
            subject,
            to,
            `${kind} ${subject} was announced and ${isClosed ? "a person stopped it" : `came back (by ${after.by ?? "itself"})`} after ${span(to - from)}; the message about that was due ${span(dueEnd - to)} later`,
          );
      }
      const isRepair = kind === "service" && after?.state === "up" && after.by === "argus";
      if (isRepair && firing.length === 0 && to - from < mustBeToldMs) {
        counts["shorter, repaired by Argus"] += 1;
        // A digest has the newest word about each problem: what it says of this one may stand for a repair before.
        const isTold = messages.some(
          (each) =>
            each.at >= to - hour &&
            (each.isFolded
              ? each.at <= to + hour
              : labels.repaired.includes(each.label) && each.at <= to + late[kind] + 5 * minute),
        );
        // Of what was announced, of the unit or of its endpoint, the end is awaited: people know of it.
        const last = told.findLast((each) => each.subject === subject && each.at < from);
        const isStanding = last?.isFiring === true;
        const isHidden = overlap(covered, to, to + cycleMs).length > 0;
        if (!isTold && !isStanding && !isHidden && to + late[kind] + 5 * minute < endMs)
          fault(
            "a repair was not reported",
            subject,
            to,
            `Argus restarted ${subject} after ${span(to - from)} and said nothing of it`,
          );
      }
    }
  }

  // No message is untrue.
  const lastFiring = new Map();
  for (const each of told) {
    const { type, subject, at, label, block, isFiring } = each;
    const lie = (text) => fault("untrue", subject, at, `${text}: ${JSON.stringify(block.slice(0, 400))}`);
    checkTwice(each);
    // Written about the time at which somebody set the clock: when it was is anybody's guess.
    if (each.isUnsure) continue;
    if (type === "argus") checkArgus(each, { lie, record: lines, overlap, intervalMs });
    const kinds = kindsOf(each).filter((kind) => spansOf(kind, subject).length > 0);
    if (kinds.length === 0 || type === "argus") continue;
    const statesOf = (kind) =>
      overlap(spansOf(kind, subject), at - staleMs, at + 1).map(({ state }) => state);
    const states = new Set(kinds.flatMap(statesOf));
    const isWell = kinds.every((kind) => statesOf(kind).some((state) => state !== "down"));
    const { isLoop } = each;
    if (isFiring && !isLoop && !states.has("down")) {
      const isDoubt = /journal cannot tell/.test(block) && overlap(journalAway, at - minute, at).length > 0;
      const isGone = /unit file is gone/.test(block) && states.has("removed");
      // It was taken down with what it needs, by a person, and that is up again: then it should be, too.
      const isLeft = /"dependency"|which it needs/.test(block) && states.has("stopped");
      if (!isDoubt && !isGone && !isLeft)
        lie(`it says that ${subject} is in trouble, and the host says ${[...states].join(", ")}`);
    }
    if ((labels.end.includes(label) || labels.repaired.includes(label)) && !isLoop && !isWell)
      lie(`it says that ${subject} is well, and it is down`);
    const isClosed = states.has("stopped") || states.has("removed") || isUnwatched(subject, at);
    if (labels.closed.includes(label) && !isClosed)
      lie(
        `it says that ${subject} is not watched or was stopped, and the host says ${[...states].join(", ")}`,
      );
    if (
      /a person stopped it|stopped by a person|somebody stopped|is masked/i.test(block) &&
      !states.has("stopped")
    )
      lie("it says that a person stopped it, and nobody did");
    const spans = kinds.flatMap((kind) => spansOf(kind, subject));
    if (!isLoop) checkEnd(each, { lie, spans });
  }

  /** A service and its endpoint are one problem; words that name its address are about the endpoint alone. */
  function kindsOf({ type, key, saysEndpoint }) {
    if (saysEndpoint || !key.startsWith("service:")) return [type];
    return ["service", "endpoint"];
  }

  function isUnwatched(subject, at) {
    return (
      overlap(
        spansOf("watch", subject).filter(({ state }) => state === "off"),
        at - 2 * intervalMs,
        at + 1,
      ).length > 0
    );
  }

  /** What could not be delivered at the time comes in short: the last news of each problem. */
  function isFolded(messages, from, due) {
    const cut = overlap(downs("channel", "channel"), from - minute, due);
    return cut.length > 0 && messages.some((each) => each.isFolded && each.received >= from);
  }

  /** What the dedup window or flapping holds back: it was told, and its end was not, or it has begun to come and go. */
  function isHeldBack(messages, from, due, openings) {
    const before = messages.filter(({ at }) => at < from);
    const last = before.findLast(({ isFiring }) => isFiring);
    if (last === undefined || due === null) return false;
    const endTold = before.some((each) => !each.isFiring && each.at > last.at);
    if (!endTold && due - last.at < dedupMs) return true;
    const flaps = before.findLast((each) => each.isFiring && flappingWords.test(each.block));
    return openings >= flappingOpenings && flaps !== undefined && due - flaps.at < 3 * dedupMs;
  }

  function checkTwice({ key, at, severity, isFiring, block, subject, label, isFolded }) {
    if (labels.repaired.includes(label)) return;
    // What is told in short repeats what was told at length.
    const twice = (text) =>
      isFolded || fault("said twice", subject, at, `${text}: ${JSON.stringify(block.slice(0, 200))}`);
    const before = lastFiring.get(key);
    if (!isFiring) {
      if (before?.over === true) twice("its end was told already");
      if (before !== undefined) before.over = true;
      return;
    }
    const flaps = flappingWords.test(block);
    const ranks = ["critical", "warning", "info"];
    const isWorse = before !== undefined && ranks.indexOf(severity) < ranks.indexOf(before.severity);
    // Across a reboot the wall clock is all there is.
    const jumped =
      before !== undefined && hasJumped(before.at, at) && overlap(argusAway, before.at, at).length > 0;
    const isAsking = /approval|your yes|argus approve/i.test(block);
    if (
      before !== undefined &&
      !before.over &&
      at - before.at < dedupMs - 2 * second &&
      !isWorse &&
      !isAsking &&
      !jumped &&
      !(flaps && !before.flaps)
    )
      twice(`it was told ${span(at - before.at)} ago`);
    lastFiring.set(key, { at, severity, over: false, flaps });
  }

  function checkEnd({ type, label, block, at, isFiring, subject, since }, { lie, spans }) {
    const outages = merge(spans);
    const past = outages.findLast((each) => each.from <= at);
    if (past === undefined || /unit file is gone/.test(block)) return;
    if (isFiring && since !== null) {
      // The problem may be older than this outage, as one that flaps or that ended unseen; never younger than its news.
      const openedAt = trueTime(since, at)?.at ?? null;
      const unseen = overlap([...argusAway, ...busAway, ...hidden(type, subject)], past.from, at);
      // It was known to be stopped by a person, until the journal that said so was lost.
      const wasKnown = /cannot tell who stopped it/.test(block);
      if (
        !wasKnown &&
        openedAt !== null &&
        unseen.length === 0 &&
        openedAt > past.from + late[type] &&
        at >= past.from
      )
        lie(`it says since ${since}, and it is down since ${span(openedAt - past.from)} before that`);
    }
    if (isFiring) return;
    // Watched for a part of it, it was two problems, each with a time and a remedy of its own.
    if (overlap(spansOf("watch", subject), past.from, past.to).some(({ state }) => state === "off")) return;
    // Of what was no outage by this record, as a unit without a file, nothing more can be said.
    const openedAt = since === null ? null : (trueTime(since, at)?.at ?? null);
    const isRemoved = overlap(spansOf("service", subject), openedAt ?? past.from, at).some(
      ({ state }) => state === "removed",
    );
    if (isRemoved || (openedAt !== null && past.to < openedAt - second)) return;
    const starts = record.filter((line) => line.kind === "start" && line.subject === subject);
    const tried = type === "service" ? starts.filter(({ t }) => t >= past.from - second && t <= past.to) : [];
    const back = spansOf("service", subject).findLast((each) => each.from <= at && each.state !== "down");
    const saysHelped = /Done by Argus: restart_service|restarted by Argus/.test(block);
    // An hour after its end, more may have become of it.
    if (/calm since/.test(block)) return;
    const isOfUnit = /was: (?:failed|inactive|activating)/.test(block);
    if (/ended without Argus/.test(block) && isOfUnit && back?.state === "up" && back.by === "argus")
      lie("it says that Argus did not bring it back, and it did");
    if (saysHelped && back?.state === "up" && back.by !== "argus")
      lie(`it says that Argus restarted it, and it was ${back.by}`);
    if (/Argus did nothing about it/.test(block) && tried.length > 0)
      lie(`it says that Argus did nothing, and Argus started it ${tried.length} times`);
    const nth = /on the (\d+)(?:st|nd|rd|th) attempt/.exec(block)?.[1];
    // It died again before its problem was over: that is one problem, with all its attempts.
    const begun = openedAt === null ? past.from : Math.min(openedAt, past.from);
    const own = starts.filter(({ t }) => t >= begun - second && t <= past.to + second).length;
    if (nth !== undefined && Number(nth) !== own)
      lie(`it says attempt ${nth}, and Argus started it ${own} times`);
    const amount = /Over after ((?:\d+ (?:d|h|min|s) ?)+)|\bdown (?:for )?((?:\d+ (?:d|h|min|s) ?)+)/.exec(
      block,
    );
    if (amount === null || /calm since/.test(block) || labels.repaired.includes(label)) return;
    const said = durationMs(amount[1] ?? amount[2]);
    const isClear =
      overlap([...argusAway, ...busAway], past.from - second, at).length === 0 &&
      clocks.slice(1).every(({ t }) => t < past.from || t > at);
    const recent = outages.filter((each) => each.from > at - hour && each.from <= at).length;
    // What came back between two looks, or flaps, is one problem.
    if (isClear && recent < 2 && Math.abs(said - (past.to - past.from)) > late[type] + 0.02 * said)
      lie(`it says ${span(said)}, and it was down for ${span(past.to - past.from)}`);
  }

  for (const each of told) {
    const until = overlap(downs("channel", "channel"), each.at, each.received);
    const lastAway = Math.max(
      each.at,
      ...until.map(({ to }) => to),
      ...overlap(argusAway, each.at, each.received).map(({ to }) => to),
    );
    if (each.received - lastAway > deliveryMs + (until.length > 0 ? 5 * minute : 0))
      fault(
        "late delivery",
        each.subject,
        each.at,
        `written, and delivered ${span(each.received - lastAway)} after it could have been`,
      );
  }
  violations.sort((a, b) => a.t - b.t);
  return { violations, counts, timelineOf: (subject, at) => timelineOf(subject, at, record, told) };
}

/** Outages, each from its first moment to its last, whatever the reason changed to in between. */
function merge(spans) {
  const outages = [];
  for (const each of spans.filter(({ state }) => state === "down").sort((a, b) => a.from - b.from)) {
    const last = outages.at(-1);
    if (last !== undefined && last.to >= each.from) last.to = Math.max(last.to, each.to);
    else outages.push({ ...each });
  }
  return outages;
}

/** Every note of every message of the webhook, with its own words. */
function readMessages(received, trueTime, violations, counts) {
  const told = [];
  for (const message of received) {
    if (message.channel !== "webhook") continue;
    counts.messages += 1;
    const blocks = new Map();
    for (const block of message.text.split("\n\n")) {
      const key = /^argus explain (\S+)$/m.exec(block)?.[1];
      if (key !== undefined)
        blocks.set(key, [
          ...(blocks.get(key) ?? []),
          block.replace(/^(?:\[[^\]]*\] )?[^\n:]*: (?=[A-Z]+ )/, ""),
        ]);
    }
    for (const note of message.problems ?? []) {
      counts["said in them"] += 1;
      const block = blocks.get(note.problem)?.shift() ?? "";
      const label = /^([A-Z]+) /.exec(block)?.[1] ?? groupLabel(message.text, note);
      const time = trueTime(note.at, message.t);
      if (time === null) {
        violations.push({
          rule: "untrue",
          subject: note.subject,
          t: message.t,
          text: `no clock of this host said ${note.at}`,
        });
        continue;
      }
      told.push({
        key: note.problem,
        // The endpoint of a service is a problem of the service, and still not the same as the unit.
        type: isOfEndpoint(note.summary) ? "endpoint" : note.type,
        saysEndpoint: isOfEndpoint(note.summary),
        isFolded: message.event !== "argus.message",
        isLoop: /^systemd restarted/.test(note.summary),
        subject: note.subject,
        severity: note.severity,
        summary: note.summary,
        since: note.since ?? null,
        at: time.at,
        isUnsure: time.isUnsure,
        received: message.t,
        block,
        label:
          label ??
          (note.state === "firing" ? note.severity.toUpperCase() : (note.ending ?? "resolved").toUpperCase()),
        isFiring:
          label === null ? note.state === "firing" : labels.firing.includes(label) && note.state === "firing",
      });
    }
  }
  return told.sort((a, b) => a.at - b.at);
}

/** Of several in one line, as repairs may be. */
function groupLabel(text, { subject, severity }) {
  const line = text
    .split("\n")
    .find((each) => labels.repaired.some((label) => each.includes(label)) && each.includes(subject));
  return line !== undefined && severity === "info" ? labels.repaired[0] : null;
}

const isOfEndpoint = (summary) => /\((?:https?|tcp):\/\/[^)]*\)/.test(summary);

/** What Argus says of itself. */
function checkArgus({ block, at, isFiring }, { lie, record, overlap, intervalMs }) {
  const downs = (kind) => (record.get(`${kind} ${kind}`) ?? []).filter(({ state }) => state === "down");
  const wasAway = (kind) => overlap(downs(kind), at - 2 * intervalMs, at + 1).length > 0;
  if (isFiring && /executor does not answer/.test(block) && !wasAway("executor"))
    lie("it says that the executor does not answer, and it does");
  if (isFiring && /no data of .*services/.test(block) && !wasAway("bus"))
    lie("it says that systemd is not seen, and it answers");
}

function durationMs(text) {
  const units = { d: 24 * hour, h: hour, min: minute, s: second };
  let sum = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+) (d|h|min|s)/g)) sum += Number(amount) * units[unit];
  return sum;
}

const span = (ms) => `${Math.round(ms / second)} s`;
const clockOf = (ms) => new Date(ms).toISOString().slice(11, 19);

/** An hour around it. */
function timelineOf(subject, at, record, told) {
  const from = at - hour;
  const to = at + 30 * minute;
  const global = ["argus", "host", "bus", "executor", "journal", "channel", "clock", "pause"];
  const lines = [
    ...record
      .filter((line) => line.subject === subject || global.includes(line.kind))
      .map(({ t, kind, subject: _, ...more }) => ({ t, text: `host   ${kind} ${JSON.stringify(more)}` })),
    ...told
      .filter((each) => each.subject === subject)
      .map((each) => ({
        t: each.at,
        text: `told   ${each.block.split("\n").slice(0, -1).join(" | ").slice(0, 260)}`,
      })),
  ];
  return lines
    .filter(({ t }) => t >= from && t <= to)
    .sort((a, b) => a.t - b.t)
    .map(({ t, text }) => `    ${clockOf(t)} ${text}`)
    .join("\n");
}

/** Of each rule some examples, with an hour of their subject around them. */
export function report({ violations, counts, timelineOf: around }, most = 3) {
  const rules = {};
  const shown = [];
  for (const { rule, subject, t, text } of violations) {
    rules[rule] = (rules[rule] ?? 0) + 1;
    if (rules[rule] <= most) shown.push(`${clockOf(t)} ${rule}: ${text}\n${around(subject, t)}`);
  }
  return [JSON.stringify({ ...counts, violations: violations.length, ...rules }), ...shown].join("\n");
}

export const readDay = (recordFile, receivedFile) => [
  parse(readFileSync(recordFile, "utf8")),
  parse(readFileSync(receivedFile, "utf8")),
];

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const [recordFile, receivedFile, most = "3"] = process.argv.slice(2);
  if (recordFile === undefined || receivedFile === undefined) {
    console.error("usage: check-day.mjs RECORD RECEIVED [EXAMPLES OF EACH RULE]");
    process.exit(2);
  }
  const result = check(...readDay(recordFile, receivedFile));
  console.log(report(result, Number(most)));
  process.exit(result.violations.length === 0 ? 0 : 1);
}
