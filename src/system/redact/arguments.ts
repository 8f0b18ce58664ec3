/** One argument, and the one before it: whether a telling name says that it is a secret. */
import { isSecretValue, tellingOf } from "./names.ts";

const whole = { quoted: true, assigned: true } as const;

/** `--name=value`, `/name:value`, `-Dname=value`, `NAME=value`: where the value begins. */
export function secretPart(arg: string): number | null {
  const head = arg.slice(0, 160);
  const match =
    /^\/([A-Za-z][\w-]{0,40}):/.exec(head) ??
    /^(?:--?)?(?:[DPXJ](?=[a-z]))?([A-Za-z][\w.@:/-]{0,80}?):?=/.exec(head);
  if (match === null) return null;
  const [before, name = ""] = match;
  const telling = tellingOf(name);
  return telling !== null && isSecretValue(telling, arg.slice(before.length), whole) ? before.length : null;
}

export function isSecretAfterFlag(before: string | undefined, arg: string): boolean {
  if (before === undefined || before.length > 80 || arg.startsWith("-")) return false;
  if (!/^(?:--?|\/)[A-Za-z][\w.-]*$/.test(before)) return false;
  const telling = tellingOf(before);
  return telling !== null && isSecretValue(telling, arg, whole);
}
