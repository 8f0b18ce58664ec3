/** Whether what should answer over the network does, and how fast. */
import type { Http, System } from "../system/system.ts";
import { normaliseUnit, unitDisplayName } from "../system/systemd.ts";
import type { Endpoint } from "../types/facts.ts";
import type { Config, ServiceSetting } from "../types/settings.ts";
import type { Collect } from "./collector.ts";
import type { LookedAt, UnitsLook } from "./unit-look.ts";
import { count, list } from "./words.ts";

const defaultTimeoutMs = 5_000;

type Target = NonNullable<ServiceSetting["endpoint"]> & {
  readonly name: string;
  readonly service: string | null;
};

export function createEndpointCollector({ http }: System, config: Config): Collect {
  const { services, endpoints } = config.settings;
  const withEndpoint = services.filter((each) => each.endpoint !== undefined);
  /** As of the last time that systemd answered. */
  let known: ReadonlyMap<string, LookedAt> | null = null;

  async function ofServices(
    units: () => Promise<UnitsLook | null>,
  ): Promise<{ targets: Target[]; without: string[] }> {
    if (withEndpoint.length === 0) return { targets: [], without: [] };
    try {
      const look = await units();
      if (look === null)
        return {
          targets: [],
          without: ["those of services are not probed, since systemd is not running here"],
        };
      known = new Map(
        look.units.flatMap((one) =>
          one.settings.map(({ unit }): [string, LookedAt] => [normaliseUnit(unit), one]),
        ),
      );
    } catch (error) {
      // Without knowing what is installed, every service of the settings that is not would look as if it were down.
      if (known === null)
        throw new Error(
          `it is not known which services are installed here: ${error instanceof Error ? error.message : error}`,
        );
    }
    const targets: Target[] = [];
    const left: Record<"absent" | "stopped" | "unreadable", string[]> = {
      absent: [],
      stopped: [],
      unreadable: [],
    };
    for (const { unit, endpoint } of withEndpoint) {
      const name = unitDisplayName(normaliseUnit(unit));
      const looked = known?.get(normaliseUnit(unit));
      if (looked === undefined) left.unreadable.push(name);
      else if (looked.health.status === "not-installed") left.absent.push(name);
      // Who stopped the service knows that nobody answers there.
      else if (looked.health.status === "stopped" || looked.health.status === "masked")
        left.stopped.push(name);
      else if (endpoint !== undefined) targets.push({ ...endpoint, name, service: looked.name });
    }
    const words = {
      absent: "not probed, since not installed here",
      stopped: "not probed, since a person stopped the service",
      unreadable: "not probed, since systemd does not show the service",
    };
    const without = (["absent", "stopped", "unreadable"] as const).flatMap((why) =>
      left[why].length === 0 ? [] : [`${words[why]}: ${list(left[why])}`],
    );
    return { targets, without };
  }

  return async ({ units, signal }) => {
    const own = endpoints.map((each) => ({ ...each, service: null }));
    const others = own.map((target) => probe(http, target, signal));
    const { targets, without } = await ofServices(units);
    const endpoint = await Promise.all([...targets.map((target) => probe(http, target, signal)), ...others]);
    return {
      facts: { endpoint },
      detail: [sentence(endpoint), ...without].join("; "),
    };
  };
}

async function probe(http: Http, target: Target, signal: AbortSignal): Promise<Endpoint> {
  const { name, url, service } = target;
  const about = { name, url, service };
  const timeoutMs = target.timeoutMilliseconds ?? defaultTimeoutMs;
  try {
    if (url.startsWith("tcp:")) {
      const { hostname, port } = new URL(url);
      const latency = await http.connect(hostname.replace(/^\[|\]$/g, ""), Number(port), timeoutMs);
      return { ...about, ok: true, status: null, latencyMilliseconds: latency, error: null };
    }
    const { status, latencyMs } = await http.request({ url, timeoutMs, maxBodyBytes: 0, signal });
    const { expectStatus: wanted } = target;
    const ok = wanted === "any" || (wanted?.includes(status) ?? (status >= 200 && status < 400));
    return {
      ...about,
      ok,
      status,
      latencyMilliseconds: latencyMs,
      error: ok ? null : `answered with status ${status}`,
    };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { ...about, ok: false, status: null, latencyMilliseconds: null, error: why };
  }
}

function sentence(endpoints: readonly Endpoint[]): string {
  if (endpoints.length === 0) return "no endpoint to probe";
  const wrong = endpoints.filter((each) => !each.ok).map((each) => `${each.name} (${each.error})`);
  if (wrong.length > 0)
    return `${endpoints.length - wrong.length} of ${count(endpoints.length, "endpoint")} well; trouble with ${list(wrong)}`;
  const slowest = endpoints.reduce((most, each) =>
    (each.latencyMilliseconds ?? 0) > (most.latencyMilliseconds ?? 0) ? each : most,
  );
  return `${count(endpoints.length, "endpoint")} well; slowest ${slowest.name} with ${Math.round(slowest.latencyMilliseconds ?? 0)} ms`;
}
