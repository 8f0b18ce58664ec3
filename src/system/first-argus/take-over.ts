/** What of the first Argus, the bash program, goes where. Its own files stay as they are. */
import { basename, dirname, join, resolve } from "node:path";
import { UserError } from "../../types/errors.ts";
import { fileError } from "../file-error.ts";
import { pathVariables, type TakenEnv, takeEnv, takenMark } from "./env.ts";
import { copyFrom, folderAt, headFrom, openPlace, type Place, readFrom, writeNew } from "./places.ts";

export interface TakingOver {
  readonly dir: string;
  /** Of the owner of the folder: what `$HOME` in its argus.env stands for. */
  readonly home: string;
  /** More places in which its argus.env may lie: what its unit names. */
  readonly envFiles: readonly string[];
  readonly target: Readonly<Record<"settings" | "state" | "executor" | "logs", string>>;
  /** Text of the present argus.env; null without one. */
  readonly present: string | null;
  /** Text of the example, for a first Argus without settings of its own. */
  readonly example: string;
  isThere(path: string): boolean;
  /** An empty folder, into which all is copied under argus.env, state, executor and logs; null: only say it. */
  readonly into: string | null;
}

export interface TakenOver {
  /** Each begins with a verb. */
  readonly steps: readonly string[];
  readonly notes: readonly string[];
  /** The settings of today, and whence they came, a line above; null: it had none. */
  readonly env: { readonly text: string; readonly path: string } | null;
}

interface Find {
  readonly place: Place;
  readonly name: string;
  readonly owners: ReadonlySet<number>;
  readonly to: { readonly folder: "state" | "executor" | "logs"; readonly name: string };
}

const mostEnvBytes = 100_000;
/** Variable, name here, folder here. */
const known = [
  ["ARGUS_PROBLEMS_FILE", "problems.jsonl", "state"],
  ["ARGUS_DEDUP_FILE", "dedup.json", "state"],
  ["ARGUS_OBSERVATIONS_FILE", "observations.md", "state"],
  ["ARGUS_RESTART_BACKOFF_FILE", "restart-backoff.json", "executor"],
] as const;
/** Of its other state nothing is read here: it is kept below `first`. */
const otherState = /orphan|fallback|backoff|observations/i;

const headBytes = 64 * 1024;

/** @param head the first of its content. */
function isOfForm(variable: string, name: string, head: string): boolean {
  const text = head.replace(/^\uFEFF/, "").trimStart();
  if (["ARGUS_OBSERVATIONS_FILE", "ARGUS_LOG_FILE"].includes(variable))
    return /\.(?:md|txt|log)$/i.test(name);
  const key =
    variable === "ARGUS_DEDUP_FILE" ? "keys" : variable === "ARGUS_RESTART_BACKOFF_FILE" ? "services" : "";
  return (
    (text.startsWith("{") && (key === "" || new RegExp(`"${key}"\\s*:`).test(text))) ||
    (text === "" && key === "")
  );
}

/** Of what lies beside them and cannot be taken nobody need hear. */
const isOfArgus = (refused: string): boolean =>
  /problems|dedup|argus|\/(state|logs)\//.test(refused) || otherState.test(refused);

/** @returns null: it was taken over already. Throws a UserError for what the user can mend. */
export function takeOver(taking: TakingOver): TakenOver | null {
  const { target } = taking;
  const found = folderAt(taking.dir);
  const name =
    "name the folder of the first Argus, the bash program: that of its checkout, or that of its state";
  if (found === null) throw new UserError(`--from is ${taking.dir}, and there is no such folder; ${name}`);
  const dir = found.path;
  if (Object.values(target).includes(dir))
    throw new UserError(`--from is ${dir}, a folder of this Argus; ${name}`);
  if (taking.present?.split("\n").includes(`${takenMark}${dir}`)) return null;

  const owners = new Set([0, found.uid]);
  const within = (path: string) => path === dir || path.startsWith(`${dir}/`);
  const notes: string[] = [];
  const places = new Map<string, { place: Place; owners: ReadonlySet<number> } | null>();
  /** Outside of the folder only what its owner could have read anyway: its argus.env may name anything. */
  const open = (path: string, trusted = within(path) || found.uid === 0 ? owners : new Set([found.uid])) => {
    const known = places.get(path);
    if (known !== undefined) return known;
    const place = openPlace(path, trusted);
    const opened = place === null ? null : { place, owners: trusted };
    places.set(path, opened);
    return opened;
  };

  const env = findEnv(taking, dir, notes, (path) => open(path, owners));
  const at = (variable: string): string | null => {
    const value = env?.taken.paths.get(variable);
    return value === undefined || value === "" ? null : resolve(dir, value);
  };
  const finds: Find[] = [];
  const seconds: { readonly path: string; readonly as: string; readonly before: string }[] = [];
  const isTaken = (path: string) => finds.some(({ place, name }) => join(place.path, name) === path);
  function add(
    path: string,
    name: string,
    folder: Find["to"]["folder"],
    as: string,
    variable?: string,
  ): void {
    const opened = open(path);
    if (opened === null || !opened.place.files.includes(name) || isTaken(join(opened.place.path, name)))
      return;
    // It writes where this one will: there it stays.
    if (path === target[folder] || (folder === "executor" && path === target.state)) return;
    const before = finds.find(({ to }) => to.folder === folder && to.name === as);
    if (before !== undefined) {
      seconds.push({ path: join(path, name), as, before: join(before.place.path, before.name) });
      return;
    }
    // A variable may name anything, a key as well; what is copied more people may read.
    if (
      variable !== undefined &&
      !isOfForm(variable, name, headFrom(opened.place, name, opened.owners, headBytes))
    ) {
      notes.push(
        `${join(path, name)}, which ${variable} names, does not look like such a file of the first Argus, so it is not taken`,
      );
      return;
    }
    finds.push({ ...opened, name, to: { folder, name: as } });
  }

  const stateDirs = [
    at("ARGUS_STATE_DIR"),
    at("ARGUS_MEMORY_DIR"),
    join(dir, "state"),
    join(dir, "memory"),
    dir,
  ];
  const logDirs = [at("ARGUS_LOG_DIR"), join(dir, "logs")];
  for (const [variable, name, folder] of known) {
    const named = at(variable);
    if (named !== null) add(dirname(named), basename(named), folder, name, variable);
    for (const each of [...stateDirs, ...logDirs]) if (each !== null) add(each, name, folder, name);
  }
  for (const variable of pathVariables.filter((each) => !each.endsWith("_DIR"))) {
    const named = at(variable);
    if (named !== null)
      add(dirname(named), basename(named), "state", join("first", basename(named)), variable);
  }
  for (const each of stateDirs) {
    const names = each === null ? [] : (open(each)?.place.files ?? []);
    const isItsOwn = each === join(dir, "state") || each === join(dir, "memory");
    for (const name of names.filter(
      (file) => isItsOwn || (otherState.test(file) && /\.(jsonl?|md)$/.test(file)),
    ))
      add(each ?? "", name, "state", join("first", name));
  }
  for (const each of [...logDirs, dir]) {
    const names = each === null ? [] : (open(each)?.place.files ?? []);
    const isItsOwn =
      each === join(dir, "logs") || (each !== null && each !== dir && /argus/i.test(basename(each)));
    for (const name of names.filter((file) => isItsOwn || /argus.*\.log|^cron.*\.log/i.test(file)))
      add(each ?? "", name, "logs", join("first", name));
  }
  for (const { path, as, before } of seconds)
    if (!isTaken(path)) notes.push(`${path} is not taken, because ${before} is taken as ${as} already`);
  /** It wrote where this one will. */
  const stays = [at("ARGUS_STATE_DIR"), at("ARGUS_LOG_DIR")].filter(
    (each) => each === target.state || each === target.logs,
  );
  if (env === null && finds.length === 0 && stays.length === 0)
    throw new UserError(
      `${dir} holds nothing of the first Argus: no argus.env, no problems.jsonl, dedup.json, restart-backoff.json or observations.md, no logs that belong to its owner; ${name}`,
    );

  const taken: Find[] = [];
  for (const find of finds) {
    const to = join(target[find.to.folder], find.to.name);
    if (taking.isThere(to))
      notes.push(`${join(find.place.path, find.name)} is not taken, because ${to} is there already`);
    else taken.push(find);
  }
  for (const path of [...stateDirs, ...logDirs])
    for (const each of places.get(path ?? "")?.place.refused ?? [])
      if (isOfArgus(each)) notes.push(`${each}, so it is not taken`);
  const text = settingsText(taking, env, dir);
  if (taking.into !== null) copyAll(taking.into, taken, text);
  return {
    steps: stepsOf(taking, dir, env, taken),
    notes: [...new Set(notes)],
    env: env === null ? null : { text, path: env.path },
  };
}

interface FoundEnv {
  readonly path: string;
  readonly taken: TakenEnv;
}

function findEnv(
  taking: TakingOver,
  dir: string,
  notes: string[],
  open: (path: string) => { place: Place; owners: ReadonlySet<number> } | null,
): FoundEnv | null {
  const places = ["argus.env", "config/argus.env", "etc/argus.env"].map((each) => join(dir, each));
  for (const path of [...places, ...taking.envFiles]) {
    const opened = open(dirname(path));
    const refused = opened?.place.refused.find((each) => each.startsWith(`${path} `));
    if (refused !== undefined)
      throw new UserError(
        `${refused}, and settings are taken only out of a file of its own; put a copy of it there, or move it away, and run this again`,
      );
    if (opened === null || !opened.place.files.includes(basename(path))) continue;
    const text = readFrom(opened.place, basename(path), opened.owners, mostEnvBytes);
    if (text === null)
      throw new UserError(`${path} is larger than 100 kB, and so no argus.env; look at what it is`);
    const taken = takeEnv(text, { home: taking.home, from: dir });
    if (taken.refused !== null)
      throw new UserError(
        `${path}:${taken.refused.line}: this line decides what Argus may do, and cannot be taken (${taken.refused.why}); write NAME=value there, and run this again`,
      );
    notes.push(...taken.said);
    return { path, taken };
  }
  return null;
}

/** The mode that is set here stays; with other settings of the user's own nobody can say which are meant. */
function settingsText({ present, target, example }: TakingOver, env: FoundEnv | null, dir: string): string {
  const path = join(target.settings, "argus.env");
  const lines = (present ?? "").split("\n").map((line) => line.trim());
  const modes = lines.filter((line) => line.startsWith("ARGUS_MODE="));
  if (env === null) return `${takenMark}${dir}\n${present ?? example}`;
  const number = lines.findIndex((line) => line !== "" && !/^[#;]/.test(line) && !modes.includes(line));
  if (number !== -1 && env.path !== path)
    throw new UserError(
      `${path} has settings of yours (line ${number + 1}), so --from does not put ${env.path} in its place; move what you want to keep aside, empty the file, and run this again`,
    );
  const hasMode =
    env.path === path || env.taken.text.split("\n").some((line) => line.startsWith("ARGUS_MODE="));
  return `${env.taken.text}${hasMode ? "" : modes.map((line) => `${line}\n`).join("")}`;
}

function copyAll(into: string, taken: readonly Find[], text: string): void {
  for (const { place, name, owners, to } of taken) {
    const mode = to.folder === "executor" ? 0o600 : 0o640;
    const path = join(into, to.folder, to.name);
    try {
      copyFrom(place, name, owners, path, mode);
    } catch (error) {
      throw fileError("write", path, error);
    }
  }
  writeNew(join(into, "argus.env"), text);
}

function stepsOf(
  { target }: TakingOver,
  dir: string,
  env: FoundEnv | null,
  taken: readonly Find[],
): string[] {
  const steps: string[] = [];
  const path = join(target.settings, "argus.env");
  if (env !== null)
    steps.push(`take the settings of ${env.path} into ${path}, without the places where it wrote`);
  else steps.push(`note in ${path} that ${dir} was taken over; it has no argus.env`);
  for (const folder of ["state", "executor", "logs"] as const) {
    const files = taken.filter(({ to }) => to.folder === folder);
    const from = [...new Set(files.map(({ place }) => place.path))].join(" and ");
    const names = files.map(({ to }) => to.name);
    const shown = names.length > 8 ? [...names.slice(0, 8), `and ${names.length - 8} more`] : names;
    if (files.length > 0) steps.push(`copy from ${from} into ${target[folder]}: ${shown.join(", ")}`);
  }
  return steps;
}
