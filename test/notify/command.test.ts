/** The command channel, with real programs. */
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import type { Channel } from "../../src/types/channels.ts";
import { fine, hasty, type Post, postOffice, real } from "./support.ts";

let post: Post;
beforeEach(() => {
  post = postOffice();
});

/** A program of the test's own. @returns its path. */
function program(script: string, mode = 0o755): string {
  const path = join(post.stateDir, "tell");
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, mode);
  return path;
}

const channel = (command: readonly string[], timeoutSeconds = 10): Channel => ({
  type: "command",
  name: "sms",
  command,
  timeoutSeconds,
});
const file = (name: string) => join(post.stateDir, name);
const read = (name: string) => readFileSync(file(name), "utf8");

describe("a program", () => {
  it("reads the text at standard input, has its arguments as they stand, and says yes by its exit status", async () => {
    const path = program(`cat > "${file("heard")}"; printf '%s|' "$@" > "${file("arguments")}"`);
    post.put("landmass: CRITICAL web is down\nargus explain service:0123456789abcdef");
    const command = [path, "--to", "+49 $(id) `id`; *", ""];
    expect(await post.deliver([channel(command)])).toEqual({ ...fine, sent: 1 });
    expect(read("heard")).toBe("landmass: CRITICAL web is down\nargus explain service:0123456789abcdef\n");
    expect(read("arguments")).toBe("--to|+49 $(id) `id`; *||");
    expect(post.outbox()).toEqual([]);
  });

  it("gets one message after the other, oldest first, a second apart", async () => {
    const path = program(`cat >> "${file("heard")}"`);
    for (const text of ["one", "two", "three"]) post.put(text);
    const { system, slept } = hasty();
    expect(await post.deliver([channel([path])], { system })).toEqual({ ...fine, sent: 3 });
    expect(read("heard")).toBe("one\ntwo\nthree\n");
    expect(slept).toEqual([1000, 1000]);
  });

  it("need not read what it is told", async () => {
    post.put("x".repeat(200_000));
    expect(await post.deliver([channel(["/bin/true"])])).toEqual({ ...fine, sent: 1 });
  });
});

describe("what is not a yes is told in one sentence, and the message stays:", () => {
  const mend = "install it, or mend command of the channel sms in argus.json";
  const cases: [what: string, script: string, (path: string) => string][] = [
    [
      "an exit status",
      "echo no credit left >&2; exit 3",
      (path) => `${path} failed with exit status 3: no credit left`,
    ],
    ["without a word", "exit 1", (path) => `${path} failed with exit status 1`],
    ["words at the wrong place", "echo busy; exit 75", (path) => `${path} failed with exit status 75: busy`],
    [
      "the last of many lines, without what would paint over a terminal",
      "printf 'one\\n\\033[2Jtwo\\n\\n' >&2; exit 1",
      (path) => `${path} failed with exit status 1: \\e[2Jtwo`,
    ],
    ["ended by a signal", "kill -9 $$", (path) => `${path} was killed, or may not be run by this user`],
    [
      "a secret that it prints",
      "echo 'login failed: password=hunter2hunter2 token=abcdef0123456789abcdef' >&2; exit 1",
      (path) => `${path} failed with exit status 1: login failed: password=[redacted] token=[redacted]`,
    ],
  ];
  it.each(cases)("%s", async (_, script, text) => {
    const path = program(script);
    const name = post.put("hello");
    expect(await post.deliver([channel([path])])).toEqual({
      sent: 0,
      waiting: 1,
      errors: [{ channel: "sms", text: text(path), news: true }],
      notes: [],
    });
    expect(post.outbox()).toEqual([name]);
    // It is not known what it did before it failed, so it is not asked at once again.
    program("cat > /dev/null");
    expect(await post.deliver([channel([path])])).toMatchObject({ sent: 0, waiting: 1 });
    post.forget();
    expect(await post.deliver([channel([path])])).toEqual({ ...fine, sent: 1 });
  });

  it("missing", async () => {
    post.put("hello");
    const { errors, waiting } = await post.deliver([channel(["/nonexistent/sms"])]);
    expect({ waiting, text: errors[0]?.text }).toEqual({
      waiting: 1,
      text: `/nonexistent/sms does not exist here; ${mend}`,
    });
  });

  it("not executable", async () => {
    post.put("hello");
    const path = program("exit 0", 0o644);
    const { errors } = await post.deliver([channel([path])]);
    expect(errors[0]?.text).toBe(`${path} was killed, or may not be run by this user`);
  });

  it("hanging: it is ended with all that it started, and nobody waits for it longer than for its time", async () => {
    const path = program(`sh -c 'echo $$ > "${file("child")}"; exec sleep 3600' & cat > /dev/null; wait`);
    post.put("hello");
    const { errors, waiting } = await post.deliver([channel([path], 1)]);
    expect(waiting).toBe(1);
    expect(errors[0]?.text).toBe(`${path} did not end within 1 s`);
    expect(existsSync(`/proc/${read("child").trim()}/cwd`)).toBe(false);
  });

  it("the end of Argus ends the program, and that is no error", async () => {
    const path = program(`echo $$ > "${file("pid")}"; exec sleep 3600`);
    post.put("hello");
    const stop = new AbortController();
    const delivery = post.deliver([channel([path])], { system: real, signal: stop.signal });
    while (!existsSync(file("pid"))) await real.clock.sleep(5);
    stop.abort();
    expect(await delivery).toEqual({ ...fine, waiting: 1 });
    expect(existsSync(`/proc/${read("pid").trim()}/cwd`)).toBe(false);
  });
});

it("secrets of other channels stay out of what it prints too", async () => {
  const path = program("echo key is 0123456789-of-the-webhook >&2; exit 1");
  const webhook: Channel = {
    type: "webhook",
    name: "webhook",
    url: "http://127.0.0.1:1/",
    secret: "0123456789-of-the-webhook",
    authorization: null,
    timeoutSeconds: 1,
  };
  post.put("hello");
  const { errors } = await post.deliver([channel([path]), webhook], { withinMs: 300 });
  expect(errors.find(({ channel: name }) => name === "sms")?.text).toBe(
    `${path} failed with exit status 1: key is ***`,
  );
  expect(post.remembered()).not.toContain("0123456789");
});
