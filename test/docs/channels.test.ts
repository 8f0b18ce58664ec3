/** docs/channels.md: its settings load, and what it says to verify a signature with does so. */
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config.ts";
import { createSystem } from "../../src/system/machine.ts";
import { emptyMachine } from "../bad-input/cases.ts";
import { afterThis, postOffice } from "../notify/support.ts";
import { startWebServer } from "../notify/web-server.ts";

const page = readFileSync(join(import.meta.dirname, "../../docs/channels.md"), "utf8");
const block = (language: string): string =>
  new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``).exec(page)?.[1] ?? "";

it("has settings that work as they stand", () => {
  const machine = emptyMachine();
  afterThis(() => machine.remove());
  machine.write("/etc/argus/argus.json", block("json"));
  const config = loadConfig({
    system: createSystem({ root: machine.root }),
    env: { ARGUS_SECRET_OPS: "k" },
    workingDir: "/srv",
    programDir: "/opt/argus",
  });
  expect(config.channels.map(({ type, name }) => [type, name])).toEqual([
    ["webhook", "ops"],
    ["alertmanager", "alertmanager"],
    ["command", "sms"],
  ]);
});

const has = (program: string, ...args: string[]) => spawnSync(program, args).status === 0;

describe("a message of Argus is verified", () => {
  const key = "a key that only two know";
  let signature: string;
  let body: string;
  beforeAll(async () => {
    const web = await startWebServer();
    const post = postOffice();
    post.put("it’s „down“ — argus explain service:0123456789abcdef");
    await post.deliver([
      { type: "webhook", name: "ops", url: web.url, secret: key, authorization: null, timeoutSeconds: 5 },
    ]);
    signature = String(web.asked[0]?.headers["x-argus-signature"]);
    body = web.asked[0]?.body ?? "";
    await web.close();
  });

  it.skipIf(!has("openssl", "version"))("by the lines of shell, and a forged one is not", () => {
    const file = join(postOffice().stateDir, "body");
    const verify = (text: string) => {
      writeFileSync(file, text);
      const script = `${block("sh")}\nif verify "$@"; then echo yes; else echo no; fi`;
      return execFileSync("sh", ["-c", script, "sh", key, signature, file], { encoding: "utf8" }).trim();
    };
    expect([verify(body), verify(body.replace("down", "well"))]).toEqual(["yes", "no"]);
  });

  it.skipIf(!has("python3", "--version"))("by the lines of Python, and a forged one is not", () => {
    const verify = (text: string) =>
      execFileSync(
        "python3",
        [
          "-c",
          `${block("python")}\nimport sys\nprint(verify(sys.argv[1], sys.argv[2], sys.stdin.buffer.read()))`,
          key,
          signature,
        ],
        { encoding: "utf8", input: text },
      ).trim();
    expect([verify(body), verify(body.replace("down", "well"))]).toEqual(["True", "False"]);
  });
});
