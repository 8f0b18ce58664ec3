/**
 * `argus notify --test` as root types it on an installed host: what it says is what alerts will meet in the sandbox of
 * argus.service. And the mail of docs/channels.md, which must work there.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { splitMail } from "../notify/mail.ts";
import { succeed } from "./argus.ts";
import { bootHost, checkout, type Host } from "./harness.ts";
import * as is from "./installed.ts";
import { unpack } from "./installer.ts";

let host: Host;

/** As Postfix does it: the mail is handed to a program that may write the queue by the right of its group. */
const drop = "/usr/local/sbin/drop";
const sendmail = `#!/bin/sh
cat > /dev/null
group=$(${drop} -gn)
[ "$group" = mail ] && exit
echo "may not write the queue as the group $group" >&2
exit 75
`;
const refused = "/usr/local/bin/queue failed with exit status 75: may not write the queue as the group argus";

/** Takes alerts, and notes how many. */
const receiver = `
import { createServer } from "node:http";
import { appendFileSync } from "node:fs";
createServer((request, response) => {
  appendFileSync("/run/posts", request.url + "\\n");
  response.end("{}");
}).listen(9093, "127.0.0.1");
`;

const page = () => host.read(join(checkout, "docs/channels.md"));
/** The channel as it stands in the page. */
const mailChannel = () => JSON.parse(/^\{ "type": "command", "name": "mail".*$/m.exec(page())?.[0] ?? "null");

beforeAll(async () => {
  host = await bootHost({ name: "notify" });
  await is.services(host, [{ name: "web", what: "ExecStart=/bin/sh -c 'sleep infinity'" }]);
  await is.systemctl(host, "start", "web");
  await succeed(host, ["cp", "/usr/bin/id", drop]);
  await succeed(host, ["chown", "root:mail", drop]);
  await succeed(host, ["chmod", "2755", drop]);
  host.write("/usr/local/bin/queue", sendmail, 0o755);
  host.write("/srv/receiver.mjs", receiver);
  const mail = [process.execPath, join(checkout, "test/notify/smtp-server.mjs"), "/var/mails", "tls"];
  const name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  const files = ["-keyout", "/srv/key.pem", "-out", "/etc/argus-mail-ca.pem"];
  await succeed(host, [
    "openssl",
    "req",
    "-x509",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-days",
    "2",
    ...files,
    ...name,
  ]);
  const more = ["argus:s3cret-of-the-mail", "/etc/argus-mail-ca.pem", "/srv/key.pem", "4465"];
  await host.unit("mailserver.service", `[Service]\nExecStart=${[...mail, ...more].join(" ")}\n`);
  await host.unit("receiver.service", `[Service]\nExecStart=${process.execPath} /srv/receiver.mjs\n`);
  await is.systemctl(host, "start", "mailserver", "receiver");
  host.write(
    "/etc/argus/mail.conf",
    'url = "smtps://localhost:4465"\nuser = "argus:s3cret-of-the-mail"\ncacert = "/etc/argus-mail-ca.pem"\n',
  );
  const channels = [
    mailChannel(),
    { type: "command", name: "queue", command: ["/usr/local/bin/queue"] },
    { type: "alertmanager", name: "am", url: "http://127.0.0.1:9093" },
  ];
  await is.configure(host, { settings: { services: [{ unit: "web" }], channels } });
  const installed = await (await unpack(host, "/srv/argus"))("--yes");
  expect([installed.exitCode, installed.stderr]).toEqual([0, ""]);
  // As the page says it.
  await succeed(host, ["chown", "root:argus", "/etc/argus/mail.conf"]);
  await succeed(host, ["chmod", "640", "/etc/argus/mail.conf"]);
}, 60_000);
afterAll(async () => await host?.stop());

interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  readonly text: string;
  readonly commandLines: readonly string[];
}
const mails = (): Mail[] =>
  existsSync(join(host.root, "/var/mails"))
    ? host
        .read("/var/mails")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line))
    : [];

describe("typed by root, while the daemon runs", () => {
  it("says what a program comes to in the sandbox, though the same works outside of it, and ends with status 1", async () => {
    const outside = ["setpriv", "--reuid=argus", "--regid=argus", "--init-groups", "/usr/local/bin/queue"];
    expect((await host.exec(outside)).exitCode).toBe(0);
    const { exitCode, stdout, stderr } = await is.argus(host, "notify", "--test", "--channel", "queue");
    expect([exitCode, stdout.split("\n").at(-1)]).toEqual([1, `queue: not sent: ${refused}`]);
    expect(stdout).toMatch(/^the daemon \(pid \d+\) was asked, which sends the alerts\n/);
    expect(stderr).toBe("argus: queue took no message; alerts wait in the outbox meanwhile");
    const json = await is.argus(host, "notify", "--test", "--channel", "queue", "--json");
    expect(JSON.parse(json.stdout)).toMatchObject([
      { channel: "queue", ok: false, detail: refused, by: "daemon" },
    ]);
    const doctor = JSON.parse((await is.argus(host, "doctor", "--json")).stdout);
    expect(doctor).toContainEqual(
      expect.objectContaining({
        name: "alerts: queue",
        state: "limited",
        detail: expect.stringContaining(`${drop} runs with the rights of another group`),
      }),
    );
  });

  it("leaves nothing of root's in the state folder, and nothing of the request", async () => {
    const others = await succeed(host, ["find", is.stateDir, "!", "-user", "argus"]);
    const requests = await succeed(host, ["find", `${is.stateDir}/test-messages`, "-type", "f"]);
    expect([others, requests]).toEqual(["", ""]);
  });

  it("sends mail as the page says, which is at the server; the password stands in no command line", async () => {
    const { exitCode, stdout } = await is.argus(host, "notify", "--test", "--channel", "mail");
    expect([exitCode, stdout.split("\n").at(-1)]).toEqual([
      0,
      "mail: sent: /opt/argus/docs/examples/mail.sh took it (exit status 0)",
    ]);
    const mail = mails().at(-1);
    expect(mail).toMatchObject({ from: "argus@example.org", to: ["you@example.org"] });
    expect(splitMail(mail?.text ?? "")).toMatchObject({
      headers: { subject: "notify: a test of Argus. Alerts will arrive like this." },
      body: "notify: a test of Argus. Alerts will arrive like this.\n",
    });
    expect(mail?.commandLines.filter((line) => line.includes("s3cret"))).toEqual([]);
  });
});

it("an alert comes by the same mail, with its severity in the subject, and by the other channels as the test said", async () => {
  await is.systemctl(host, "kill", "--signal=KILL", "web");
  const alert = () =>
    mails()
      .map(({ text }) => splitMail(text))
      .find(({ body }) => body.includes("web is failed"));
  await host.waitFor(() => alert() !== undefined, 20_000, "the mail about web");
  expect(alert()?.headers["subject"]).toMatch(/^notify: (CRITICAL|WARNING) web is failed/);
  expect(alert()?.body).toContain("argus explain service:");
  // What one channel answered is noted when all have had their turn.
  const errors = async () => {
    const { outbox } = JSON.parse((await is.argus(host, "status", "--json")).stdout);
    return outbox.channels.map(({ error }: { error: { text: string } | null }) => error?.text ?? null);
  };
  await host.waitFor(async () => (await errors())[1] === refused, 60_000, "what the queue said");
  expect(await errors()).toEqual([null, refused, null]);
}, 90_000);

describe("while no daemon runs", () => {
  beforeAll(async () => void (await is.systemctl(host, "stop", "argus")));

  it("is sent from here where no program is needed, and no program is run in another place than the alerts'", async () => {
    const before = mails().length;
    const { exitCode, stdout } = await is.argus(host, "notify", "--test");
    const why =
      "not sent: no daemon runs, and a program is tried in the sandbox of argus.service alone: systemctl start argus, then try again";
    expect([exitCode, stdout.split("\n")]).toEqual([
      1,
      [
        "no daemon runs: sent from this process",
        `mail: ${why}`,
        `queue: ${why}`,
        "am: sent: the Alertmanager am took it (status 200)",
      ],
    ]);
    expect(mails()).toHaveLength(before);
  });

  it("waits for the cycle of the timer, where that is what sends the alerts", async () => {
    await is.systemctl(host, "start", "argus-once.timer");
    const before = mails().length;
    const asking = is.argus(host, "notify", "--test", "--channel", "mail");
    const request = () => host.exec(["sh", "-c", `ls ${is.stateDir}/test-messages/*.json`]);
    await host.waitFor(async () => (await request()).exitCode === 0, 10_000, "the request");
    await is.systemctl(host, "start", "argus-once.service");
    const { exitCode, stdout } = await asking;
    expect([exitCode, stdout.split("\n").at(-1)]).toEqual([
      0,
      "mail: sent: /opt/argus/docs/examples/mail.sh took it (exit status 0)",
    ]);
    expect(stdout).toContain("no daemon runs: the next cycle of argus-once.timer sends it");
    expect(mails().length).toBeGreaterThan(before);
  });
});
