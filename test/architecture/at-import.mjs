// Run as a process of its own: `node --import tsx at-import.mjs FOLDER FILE...` imports every file and prints, one a line,
// which of them asked for the clock, the environment or the disk while it was being imported.
import childProcess from "node:child_process";
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import os from "node:os";
import { fileURLToPath, pathToFileURL } from "node:url";

const [folder, ...files] = process.argv.slice(2);
const said = new Set();

/** The file in the folder that made the call, when it was one of them and not a package or Node itself. */
function caller() {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 12;
  const frames = (new Error().stack ?? "").split("\n").slice(1);
  Error.stackTraceLimit = limit;
  for (const frame of frames) {
    const place = /\(?((?:file:\/\/)?\/[^():]+)/.exec(frame)?.[1];
    if (place === undefined || frame.includes("node:") || frame.includes("at-import.mjs")) continue;
    const path = place.startsWith("file:") ? fileURLToPath(place) : place;
    return path.startsWith(`${folder}/`) ? path.slice(folder.length + 1) : null;
  }
  return null;
}

function trap(object, name, what) {
  const original = object[name];
  const trapped = function (...args) {
    const path = caller();
    if (path !== null) said.add(`${path} asks for ${what} when it is imported`);
    return new.target === undefined
      ? original.apply(this, args)
      : Reflect.construct(original, args, new.target === trapped ? original : new.target);
  };
  Object.setPrototypeOf(trapped, original);
  trapped.prototype = original.prototype;
  object[name] = trapped;
}

trap(globalThis, "Date", "the clock");
globalThis.Date.now = Date.now.bind(Date);
trap(globalThis.Date, "now", "the clock");
trap(performance, "now", "the clock");
for (const name of ["uptime", "hostname", "homedir", "userInfo", "loadavg"]) trap(os, name, `os.${name}`);
for (const name of ["cwd", "hrtime", "uptime", "kill", "getuid", "geteuid"])
  trap(process, name, `process.${name}`);
for (const module of [fs, fs.promises, childProcess]) {
  for (const [name, value] of Object.entries(module))
    if (typeof value === "function" && /^[a-z]/.test(name)) trap(module, name, name);
}
syncBuiltinESMExports();
const environment = process.env;
function asks(answer) {
  return (...args) => {
    const path = caller();
    if (path !== null) said.add(`${path} asks for the environment when it is imported`);
    return answer(...args);
  };
}
const handler = { get: asks(Reflect.get), has: asks(Reflect.has), ownKeys: asks(Reflect.ownKeys) };
Object.defineProperty(process, "env", { value: new Proxy(environment, handler) });

for (const file of files) await import(pathToFileURL(`${folder}/${file}`).href);
process.stdout.write(
  [...said]
    .sort()
    .map((each) => `${each}\n`)
    .join(""),
);
