/**
 * Variables of the environment that cannot be used: what counts in their place, so that no drop-in of a unit keeps Argus
 * from starting.
 */
import { type ConfigSource, type ReadConfig, readConfig } from "./config.ts";
import type { Broken } from "./types/settings.ts";

/** Whether Argus acts depends on these: with an unclear value it only watches. */
const deciding = ["ARGUS_MODE", "ARGUS_DRY_RUN"];

/** What each of their faults begins with, where those of a file begin with its name. */
export const ofEnvironment = "environment: ";

/** What stands in the files, beside the variables that can be used; `broken` says of the others. `faults` are those of files. */
export function readOverruled(source: ConfigSource): ReadConfig {
  const read = readConfig(source);
  const faulty = read.faults.filter(({ variable }) => variable !== undefined);
  if (faulty.length === 0) return read;
  const names = faulty.flatMap(({ variable = "" }) => variable);
  const unclear = deciding.find((name) => names.includes(name));
  const environment = {
    ...source.environment,
    ...Object.fromEntries(names.map((name) => [name, ""])),
    ...(unclear === undefined ? {} : { ARGUS_MODE: "watch" }),
  };
  const inForce = [
    ...(unclear === undefined ? [] : ["Argus only watches"]),
    ...(names.every((name) => deciding.includes(name))
      ? []
      : ["what argus.env says, or the default, counts"]),
  ];
  const broken: Broken = {
    faults: faulty.map(({ message }) => `${ofEnvironment}${message}`),
    inForce: `${inForce.join(", and ")} instead`,
    filesAreGood: true,
  };
  // What is left out can make another one useless: a token without its chat.
  const rest = readOverruled({ ...source, environment });
  const { config } = rest;
  const watching =
    unclear === undefined ? {} : { modeSource: { kind: "unclear", variable: unclear } as const };
  return { ...rest, config: { ...config, ...watching, broken: beside(config.broken, broken) } };
}

/** Both in one; those of files come first. */
export function beside(one: Broken | undefined, other: Broken): Broken {
  if (one === undefined) return other;
  const inForce = one.inForce === other.inForce ? one.inForce : `${one.inForce}, and ${other.inForce}`;
  const areGood = one.filesAreGood === true && other.filesAreGood === true;
  return {
    faults: [...one.faults, ...other.faults],
    inForce,
    ...(areGood ? { filesAreGood: true } : {}),
  };
}
