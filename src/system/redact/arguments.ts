/** One argument, and the one before it: whether a telling name says that it is a secret. */
import { isDrawn, isMixed, isSecretValue, tellingOf } from "./names.ts";

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

/** `--proxy-auth bob:secret`, `-auth bob:secret`, `--creds=bob:secret`: where the secret begins. */
export function credentialsPart(before: string | undefined, arg: string): number | null {
  const inside = /^--?(?:[\w.-]{0,32}[-_.])?(?:auth|user|userpass|creds?|credentials?|login|account)=/.exec(
    arg.slice(0, 80),
  );
  const isAfter =
    inside === null &&
    /^--?(?:[\w.-]{0,32}[-_.])?(?:auth|user|userpass|creds?|credentials?|login|account)$/.test(before ?? "");
  if (inside === null && !isAfter) return afterShortFlag(before, arg);
  const colon = arg.indexOf(":", inside?.[0].length ?? 0);
  const secret = arg.slice(colon + 1);
  return colon > 0 && secret.length >= 6 && isMixed(secret) && !/^\/|^\d+$/.test(secret) ? colon + 1 : null;
}

/** `-c bob:secret`, `-P bob:secret`, `-id bob:secret` of a program that nobody listed. */
function afterShortFlag(before: string | undefined, arg: string): number | null {
  const user = /^-(?:[acuPU]|id)$/.test(before ?? "") ? /^[\w.@-]{1,64}:/.exec(arg)?.[0] : undefined;
  return user !== undefined && isDrawn(arg.slice(user.length)) ? user.length : null;
}

const userFlag = /^(?:-u|-U|-l|--user|--username|--login|-user|-username|\/u|\/user)$/;

/**
 * Of a program that nobody listed: `-p X` where a user is named as well, when X is no port, path, pair or plain word;
 * where none is, when X looks drawn.
 * @returns the indexes of such values.
 */
export function bareSecrets(args: readonly string[]): number[] {
  const hasUser = args.some((arg) => userFlag.test(arg));
  return args.flatMap((arg, index) => {
    const value = args[index + 1] ?? "";
    const isOne =
      /^-(?:[pPwWkK]|pw)$/.test(arg) &&
      (isDrawn(value) ||
        (hasUser && /^-[pPw]/.test(arg) && value.length >= 6 && isMixed(value) && /\d/.test(value)));
    return isOne && !/[=/:,]|^-/.test(value) ? [index + 1] : [];
  });
}
