import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { Cycle } from "../../src/collect/collector.ts";
import { createEndpointCollector } from "../../src/collect/endpoints.ts";
import type { UnitsLook } from "../../src/collect/unit-look.ts";
import { createSystem } from "../../src/system/machine.ts";
import { parseUnits, unitDisplayName } from "../../src/system/systemd.ts";
import { healthOf } from "../../src/system/unit-health.ts";
import type { StopCause } from "../../src/system/unit-stop.ts";
import { EndpointEntity } from "../../src/types/facts.ts";
import { configWith } from "./tree.ts";

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<number> {
  const server: Server = createServer(answer);
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}
const status = (code: number) => serve((_, response) => response.writeHead(code).end("body"));
/** A port on which nobody listens: one was taken and given back. */
async function closedPort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const signal = new AbortController().signal;
const cycleWith = (units: () => Promise<UnitsLook | null>): Cycle => ({
  units,
  signal,
  self: {} as Cycle["self"],
});
const withoutSystemd = cycleWith(async () => null);
/** @param by who stopped them, where they are down. */
const units =
  (states: readonly [string, string][], active = "active", by: StopCause["by"] = null) =>
  async (): Promise<UnitsLook> => {
    const text = states.map(
      ([id, load]) =>
        `Id=${id}\nNames=${id}\nLoadState=${load}\nActiveState=${load === "not-found" ? "inactive" : active}\n`,
    );
    return {
      units: parseUnits(text.join("\n")).map((unit) => {
        const cause = { by, unit: null, byConflict: false, ran: true, failed: null };
        const given = { unit, triggers: [], cause, triggersStopped: false, sinceSeconds: null };
        const name = unitDisplayName(unit.id);
        const settings = [{ unit: unit.id, restart: true, requires: [] }];
        return { ...given, name, settings, health: healthOf(given) };
      }),
      refused: [],
      journal: null,
    };
  };
const collectorFor = (settings: unknown) => createEndpointCollector(createSystem(), configWith(settings));
const http = (port: number) => `http://127.0.0.1:${port}/`;

describe("endpoints", () => {
  it.each([
    [200, undefined, true],
    [204, undefined, true],
    [302, undefined, true],
    [399, undefined, true],
    [400, undefined, false],
    [404, undefined, false],
    [503, undefined, false],
    [503, [503], true],
    [401, [200, 401], true],
    [200, [204], false],
    [404, "any", true],
    [503, "any", true],
  ])("that answer with status %i, where %j is expected, are ok: %s", async (code, expectStatus, ok) => {
    const url = http(await status(code));
    const endpoints = [{ name: "web", url, ...(expectStatus === undefined ? {} : { expectStatus }) }];
    const { facts } = await collectorFor({ endpoints })(withoutSystemd);
    expect(facts.endpoint).toEqual([
      {
        name: "web",
        url,
        ok,
        status: code,
        latencyMilliseconds: expect.any(Number),
        error: ok ? null : `answered with status ${code}`,
        service: null,
      },
    ]);
    for (const each of facts.endpoint ?? []) EndpointEntity.parse(each);
  });

  it("are probed together, and one that hangs costs its own time", async () => {
    const hanging = await serve(() => undefined);
    const endless = await serve((_, response) => {
      const timer = setInterval(() => response.write("x".repeat(1000)), 1);
      response.on("close", () => clearInterval(timer));
    });
    const endpoints = [
      { name: "hangs", url: http(hanging), timeoutMilliseconds: 300 },
      { name: "refuses", url: `tcp://127.0.0.1:${await closedPort()}` },
      { name: "accepts", url: `tcp://127.0.0.1:${await status(200)}` },
      { name: "never ends", url: http(endless) },
    ];
    const { facts, detail } = await collectorFor({ endpoints })(withoutSystemd);
    expect(facts.endpoint?.map(({ name, ok, error }) => [name, ok, error])).toEqual([
      ["hangs", false, "no answer within 0.3 s"],
      ["refuses", false, "connection refused"],
      ["accepts", true, null],
      ["never ends", true, null],
    ]);
    expect(detail).toBe(
      "2 of 4 endpoints well; trouble with hangs (no answer within 0.3 s) and refuses (connection refused)",
    );
    expect(facts.endpoint?.[1]).toMatchObject({ status: null, latencyMilliseconds: null });
    expect(facts.endpoint?.[2]).toMatchObject({ status: null, latencyMilliseconds: expect.any(Number) });
  });

  it("reach a listener on the loopback of version 6", async () => {
    const server = createTcpServer();
    const listening = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(0, "::1", () => resolve(true));
    });
    const port = listening ? (server.address() as AddressInfo).port : await closedPort();
    closers.push(() => server.close());
    const { facts } = await collectorFor({ endpoints: [{ name: "six", url: `tcp://[::1]:${port}` }] })(
      withoutSystemd,
    );
    expect(facts.endpoint?.[0]?.ok).toBe(listening);
  });

  it("may be none", async () => {
    expect(await collectorFor({})(withoutSystemd)).toEqual({
      facts: { endpoint: [] },
      detail: "no endpoint to probe",
    });
  });
});

describe("endpoints of services", () => {
  const settings = (port: number) => ({
    services: [
      { unit: "web", endpoint: { url: http(port) } },
      { unit: "elsewhere", endpoint: { url: http(port) } },
      { unit: "plain" },
    ],
    endpoints: [{ name: "own", url: http(port) }],
  });
  const states: [string, string][] = [
    ["web.service", "loaded"],
    ["elsewhere.service", "not-found"],
    ["plain.service", "loaded"],
  ];
  const installed = units(states);

  it("are probed where the service is installed, under its name", async () => {
    const { facts, detail } = await collectorFor(settings(await status(200)))(cycleWith(installed));
    expect(facts.endpoint?.map(({ name, service, ok }) => [name, service, ok])).toEqual([
      ["web", "web", true],
      ["own", null, true],
    ]);
    expect(detail).toMatch(
      /^2 endpoints well; slowest (web|own) with \d+ ms; not probed, since not installed here: elsewhere$/,
    );
  });

  it("are not probed where a person stopped the service: who did it knows that nobody answers", async () => {
    const stopped = units(states, "inactive", "person");
    const { facts, detail } = await collectorFor(settings(await closedPort()))(cycleWith(stopped));
    expect(facts.endpoint?.map(({ name }) => name)).toEqual(["own"]);
    expect(detail).toContain("not probed, since a person stopped the service: web");
    const crashed = units(states, "failed", "nobody");
    const again = await collectorFor(settings(await closedPort()))(cycleWith(crashed));
    expect(again.facts.endpoint?.map(({ name, ok, service }) => [name, ok, service])).toEqual([
      ["web", false, "web"],
      ["own", false, null],
    ]);
  });

  it("are not probed without systemd, which is said", async () => {
    const { facts, detail } = await collectorFor(settings(await status(200)))(withoutSystemd);
    expect(facts.endpoint?.map(({ name }) => name)).toEqual(["own"]);
    expect(detail).toContain("; those of services are not probed, since systemd is not running here");
  });

  it("cannot be told from those of services that are not here, as long as systemd does not answer", async () => {
    const collect = collectorFor(settings(await status(200)));
    const silent = cycleWith(() => Promise.reject(new Error("systemctl did not answer within 5 s")));
    await expect(collect(silent)).rejects.toThrow(
      new Error("it is not known which services are installed here: systemctl did not answer within 5 s"),
    );
    await collect(cycleWith(installed));
    // What was installed a cycle ago still is.
    expect((await collect(silent)).facts.endpoint?.map(({ name }) => name)).toEqual(["web", "own"]);
  });

  it("do not keep the others waiting when no service has one", async () => {
    const endpoints = [{ name: "own", url: http(await status(200)) }];
    const { facts } = await collectorFor({ services: [{ unit: "x" }], endpoints })(
      cycleWith(() => expect.fail()),
    );
    expect(facts.endpoint).toMatchObject([{ name: "own", ok: true }]);
  });
});
