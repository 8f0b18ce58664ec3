/**
 * A mail server of the tests, as a program: `node smtp-server.mjs FILE [tls|starttls|plain] [USER:PASSWORD] [CERT KEY]`.
 * It prints its port, speaks SMTP (RFC 5321) to the letter, and appends each mail to the file as a line of JSON, with the
 * command lines of all processes while it came.
 */
import { appendFileSync, readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { createSecureContext, TLSSocket } from "node:tls";

const [file, mode = "plain", login = "", cert = "", key = "", port = "0"] = process.argv.slice(2);
const context = () => createSecureContext({ cert: readFileSync(cert), key: readFileSync(key) });
const secured = (socket) => new TLSSocket(socket, { isServer: true, secureContext: context() });

function commandLines() {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && name !== String(process.pid))
    .flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`, "utf8"), readFileSync(`/proc/${pid}/environ`, "utf8")];
      } catch {
        return [];
      }
    });
}

function serve(socket, isSecure, greets = true) {
  let mail = { from: null, to: [] };
  let isIn = login === "";
  let inData = false;
  let buffer = "";
  const say = (line) => socket.write(`${line}\r\n`);
  if (greets) say("220 mail.example ESMTP");
  socket.on("error", () => {});
  const commands = {
    EHLO: () => {
      say("250-mail.example");
      say("250-8BITMIME");
      if (mode === "starttls" && !isSecure) say("250-STARTTLS");
      if (login !== "" && (mode === "plain" || isSecure)) say("250-AUTH PLAIN");
      say("250 SIZE 1000000");
    },
    HELO: () => say("250 mail.example"),
    STARTTLS: () => {
      say("220 go ahead");
      socket.removeAllListeners("data");
      serve(secured(socket), true, false);
    },
    AUTH: (rest) => {
      const [, given = ""] = rest.split(" ");
      if (given === "") return say("334 ");
      answerLogin(given);
    },
    MAIL: (rest) => {
      if (!isIn) return say("530 5.7.0 authentication required");
      mail = { from: /<(.*?)>/.exec(rest)?.[1], to: [] };
      say("250 ok");
    },
    RCPT: (rest) => {
      const to = /<(.*?)>/.exec(rest)?.[1] ?? "";
      if (to.startsWith("nobody@")) return say("550 5.1.1 no such person here");
      mail.to.push(to);
      say("250 ok");
    },
    DATA: () => {
      inData = true;
      say("354 end with a dot");
    },
    QUIT: () => {
      say("221 bye");
      socket.end();
    },
  };
  function answerLogin(given) {
    isIn = Buffer.from(given, "base64").toString() === `\0${login.replace(":", "\0")}`;
    say(isIn ? "235 welcome" : "535 5.7.8 wrong name or password");
  }
  socket.on("data", (part) => {
    buffer += part.toString("latin1");
    for (;;) {
      const end = inData ? buffer.indexOf("\r\n.\r\n") : buffer.indexOf("\r\n");
      if (end < 0) return;
      const piece = buffer.slice(0, end);
      buffer = buffer.slice(end + (inData ? 5 : 2));
      if (inData) {
        inData = false;
        const lines = piece.split("\r\n");
        const isBare = /[\r\n]/.test(lines.join(""));
        if (isBare || lines.some((line) => line.length > 998)) {
          say("550 5.6.0 a bare line feed, or a line that is too long");
          continue;
        }
        const data = lines.map((line) => line.replace(/^\./, "")).join("\r\n");
        const text = Buffer.from(data, "latin1").toString();
        appendFileSync(
          file,
          `${JSON.stringify({ ...mail, text, isSecure, commandLines: commandLines() })}\n`,
        );
        say("250 ok, taken");
        continue;
      }
      const [, verb = "", rest = ""] = /^(\S*) ?(.*)$/.exec(piece) ?? [];
      const act = commands[verb.toUpperCase()];
      if (act === undefined) answerUnknown(piece);
      else act(rest);
    }
  });
  function answerUnknown(line) {
    // What follows a 334 is the login.
    if (/^[\w+/=]+$/.test(line) && login !== "" && !isIn) answerLogin(line);
    else say("500 5.5.2 not understood");
  }
}

const server = createServer((socket) =>
  mode === "tls" ? serve(secured(socket), true) : serve(socket, false),
);
server.listen(Number(port), "127.0.0.1", () => console.log(server.address().port));
