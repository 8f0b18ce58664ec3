/**
 * An Alertmanager refuses a request because of one alert in it, or of its size, and says so of the whole. Each alert is
 * worth a try of its own, and one that is refused alone another one in plainer words.
 */
import { stringify } from "../../system/printable.ts";
import type { Sent } from "./channel.ts";

export interface Alert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  readonly endsAt: string;
}

export const identityOf = ({ labels }: Pick<Alert, "labels">): string => stringify(labels);

export interface Outcome {
  /** What became of those that were not refused. */
  readonly sent: Sent;
  readonly refusals: readonly { readonly alert: Alert; readonly error: string }[];
  /** What was taken in other words, by the identity of what was refused. */
  readonly reworded: ReadonlyMap<string, Pick<Alert, "labels" | "annotations">>;
}

export async function postApart(
  post: (alerts: readonly Alert[]) => Promise<Sent>,
  all: readonly Alert[],
): Promise<Outcome> {
  const refusals: { alert: Alert; error: string }[] = [];
  const reworded = new Map<string, Pick<Alert, "labels" | "annotations">>();
  const sent = await some(all);
  return { sent, refusals, reworded };

  /** @returns the first trouble that is no refusal of an alert; otherwise the yes, or the last refusal. */
  async function some(alerts: readonly Alert[]): Promise<Sent> {
    const answer = await post(alerts);
    if (answer.kind !== "refused" || answer.of !== "message") return answer;
    const [only] = alerts;
    if (only !== undefined && alerts.length === 1) return inOtherWords(only, answer);
    const middle = Math.ceil(alerts.length / 2);
    const first = await some(alerts.slice(0, middle));
    if (first.kind === "later" || (first.kind === "refused" && first.of === "channel")) return first;
    const second = await some(alerts.slice(middle));
    return second.kind === "refused" && second.of === "message" ? first : second;
  }

  async function inOtherWords(alert: Alert, refusal: Extract<Sent, { kind: "refused" }>): Promise<Sent> {
    for (const form of [plainForm(alert), leastForm(alert)]) {
      const answer = await post([form]);
      if (answer.kind === "sent") reworded.set(identityOf(alert), form);
      if (answer.kind !== "refused" || answer.of !== "message") return answer;
    }
    refusals.push({ alert, error: refusal.error });
    return refusal;
  }
}

const mostInLabel = 100;
const mostInAnnotation = 200;

const plain = (text: string, most: number): string =>
  text
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .replace(/[^\x20-\x7e]/g, "?")
    .slice(0, most);

const mapped = (all: Readonly<Record<string, string>>, most: number): Record<string, string> =>
  Object.fromEntries(Object.entries(all).map(([name, value]) => [name, plain(value, most)]));

const plainForm = (alert: Alert): Alert => ({
  ...alert,
  labels: mapped(alert.labels, mostInLabel),
  annotations: mapped(alert.annotations, mostInAnnotation),
});

/** What routes it and tells it from others. */
function leastForm({ labels, annotations, ...times }: Alert): Alert {
  const pick = (all: Readonly<Record<string, string>>, names: readonly string[]) =>
    mapped(Object.fromEntries(Object.entries(all).filter(([name]) => names.includes(name))), mostInLabel);
  return {
    ...times,
    labels: pick(labels, ["alertname", "host", "severity", "problem"]),
    annotations: pick(annotations, ["explain"]),
  };
}
