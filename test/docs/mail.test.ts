/** docs/examples/mail.sh against a mail server that speaks SMTP to the letter. */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { splitMail } from "../notify/mail.ts";

const script = resolve("docs/examples/mail.sh");
const password = "tr1cky \\pass";
const login = `argus:${password}`;
const has = (program: string, ...args: string[]) => spawnSync(program, args).status === 0;
const canRun = has("curl", "--version") && has("openssl", "version");

let dir: string;
const cleanups: (() => void)[] = [];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "argus-mail-"));
  cleanups.push(() => rmSync(dir, { recursive: true, force: true }));
});
afterEach(() => {
  for (const clean of cleanups.splice(0).reverse()) clean();
});

/** @returns its port. */
async function server(mode: "plain" | "tls" | "starttls", wanted = login): Promise<number> {
  const [cert, key] = [join(dir, "cert.pem"), join(dir, "key.pem")];
  const name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  const args = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", key, "-out", cert];
  execFileSync("openssl", [...args, ...name], { stdio: "ignore" });
  const program = resolve("test/notify/smtp-server.mjs");
  const child = spawn(process.execPath, [program, join(dir, "mails"), mode, wanted, cert, key]);
  cleanups.push(() => void child.kill("SIGKILL"));
  return await new Promise((found) => child.stdout.once("data", (part) => found(Number(part))));
}

function send(settings: string, text: string, ...to: string[]) {
  writeFileSync(join(dir, "mail.conf"), settings, { mode: 0o600 });
  const args = [join(dir, "mail.conf"), "argus@example.org", ...to];
  return spawnSync(script, args, { input: `${text}\n`, encoding: "utf8" });
}
const mails = () =>
  existsSync(join(dir, "mails"))
    ? readFileSync(join(dir, "mails"), "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line))
    : [];
const user = 'user = "argus:tr1cky \\\\pass"\n';

it.skipIf(!canRun)(
  "arrives as it was written, whatever stands in it, for everybody it is meant for",
  async () => {
    const port = await server("plain", "");
    const settings = `url = "smtp://localhost:${port}"\nno-ssl-reqd\n`;
    const head =
      "landmass: CRITICAL „Größe“ von /var/日本語 ist 100 %, und dahinter steht noch sehr viel mehr 🚒 text";
    const text = `${head}\n.\n..two dots\n${"long ".repeat(600)}\nFrom here on\n\n=?UTF-8?B?eA==?=`;
    expect(send(settings, text, "you@example.org", "me@example.org")).toMatchObject({
      status: 0,
      stderr: "",
    });
    expect(send(settings, "landmass: CRITICAL disk full\nmore", "you@example.org")).toMatchObject({
      status: 0,
    });
    expect(
      send(settings, `(delivered late, written 2026-11-28 09:00 UTC)\n${"ä".repeat(300)}`, "you@example.org"),
    ).toMatchObject({ status: 0 });
    const [first, second, third] = mails();
    expect(first).toMatchObject({ from: "argus@example.org", to: ["you@example.org", "me@example.org"] });
    const { headers, body } = splitMail(first.text);
    expect(body).toBe(`${text}\n`);
    expect(headers).toMatchObject({
      from: "argus@example.org",
      to: "you@example.org, me@example.org",
      subject: head,
      "content-type": "text/plain; charset=utf-8",
      "auto-submitted": "auto-generated",
    });
    expect(headers["message-id"]).toMatch(/^<[0-9a-f-]{36}@example\.org>$/);
    expect(Number.isNaN(Date.parse(headers["date"] ?? ""))).toBe(false);
    expect(first.text.split("\r\n").every((line: string) => line.length <= 78)).toBe(true);
    expect(splitMail(second.text).headers["subject"]).toBe("landmass: CRITICAL disk full");
    expect(splitMail(third.text).headers["subject"]).toBe(`${"ä".repeat(150)}...`);
  },
  60_000,
);

it.skipIf(!canRun).each(["tls", "starttls"] as const)(
  "logs in over %s, with a password that no command line shows",
  async (mode) => {
    const port = await server(mode);
    const scheme = mode === "tls" ? "smtps" : "smtp";
    const settings = `url = "${scheme}://localhost:${port}"\ncacert = "${join(dir, "cert.pem")}"\n${user}`;
    expect(send(settings, "it is down", "you@example.org")).toMatchObject({ status: 0, stderr: "" });
    const [mail] = mails();
    expect(mail.isSecure).toBe(true);
    expect(mail.commandLines.some((line: string) => line.includes("mail-rcpt"))).toBe(true);
    expect(mail.commandLines.filter((line: string) => line.includes("tr1cky"))).toEqual([]);
    const wrong = send(settings.replace("tr1cky", "other"), "it is down", "you@example.org");
    expect([wrong.status === 0, wrong.stderr.trim().split("\n").at(-1)]).toEqual([
      false,
      expect.stringMatching(/^curl: \(67\) Login denied$/),
    ]);
    const distrusted = send(settings.replace(/cacert.*\n/, ""), "it is down", "you@example.org");
    expect(distrusted.stderr).toMatch(/certificate/);
    expect(mails()).toHaveLength(1);
  },
  60_000,
);

it.skipIf(!canRun)(
  "gives neither mail nor password to a server without TLS, and says what a server refuses",
  async () => {
    const port = await server("plain");
    const url = `url = "smtp://localhost:${port}"\n`;
    const plain = send(`${url}${user}`, "it is down", "you@example.org");
    expect([plain.status === 0, plain.stderr]).toEqual([false, expect.stringMatching(/^curl: \(64\) /)]);
    const nobody = send(`${url}${user}no-ssl-reqd\n`, "it is down", "nobody@example.org");
    expect([nobody.status === 0, nobody.stderr]).toEqual([false, expect.stringContaining("550")]);
    expect(mails()).toEqual([]);
    expect(spawnSync(script, ["a", "b"], { input: "" }).status).toBe(2);
  },
  60_000,
);
