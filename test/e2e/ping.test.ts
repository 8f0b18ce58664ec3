/** Somebody else hears from each cycle. */
import { mkdirSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { afterThis, argus, ended, until } from "./argus.ts";

test("a good cycle pings /start and the URL, a failed one /fail, and a dry run nobody", async () => {
  const heard: string[] = [];
  const server = createServer((request, response) => {
    heard.push(request.url ?? "");
    response.end("OK");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  afterThis(() => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/p`;
  const watch = argus({ ARGUS_PING_URL: url, ARGUS_INTERVAL: "1" });
  expect(await ended(watch.start("run", "--once"))).toBe(0);
  expect(heard.splice(0)).toEqual(["/p/start", "/p"]);
  expect(await ended(watch.start("run", "--once", "--dry-run"))).toBe(0);
  expect(heard).toEqual([]);

  const daemon = watch.start("run");
  await until("it has looked twice", () => heard.filter((path) => path === "/p").length >= 2);
  expect(heard.slice(0, 4)).toEqual(["/p/start", "/p", "/p/start", "/p"]);
  daemon.kill("SIGTERM");
  await ended(daemon);
  heard.splice(0);

  const broken = argus({ ARGUS_PING_URL: url });
  mkdirSync(broken.state("trail.jsonl"), { recursive: true, mode: 0o700 });
  expect(await ended(broken.start("run", "--once"))).toBe(1);
  expect(heard).toEqual(["/p/start", "/p/fail"]);
}, 30_000);
