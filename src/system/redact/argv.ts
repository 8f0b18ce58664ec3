/**
 * Secrets in an argument vector, where the boundaries of each argument are known: `--password=two words` is one
 * argument, and joined by spaces nobody could say where it ends. So a command line is redacted before it is joined.
 */
import { bareSecrets, credentialsPart, isSecretAfterFlag, secretPart } from "./arguments.ts";
import { secretsAmong } from "./program-arguments.ts";

/** @param redact what is done with text in an argument that is no secret as a whole. */
export function redactVector(
  args: readonly string[],
  mark: string,
  redact: (text: string) => string,
): string[] {
  const cuts = new Map<number, number>();
  const cut = (index: number, offset: number): void =>
    void cuts.set(index, Math.min(offset, cuts.get(index) ?? Number.POSITIVE_INFINITY));
  for (const { index, offset } of secretsAmong(args, () => true)) cut(index, offset);
  for (const index of bareSecrets(args)) cut(index, 0);
  for (const [index, arg] of args.entries()) {
    const assigned = secretPart(arg);
    if (assigned !== null) cut(index, assigned);
    else if (isSecretAfterFlag(args[index - 1], arg)) cut(index, 0);
    const secret = credentialsPart(args[index - 1], arg);
    if (secret !== null) cut(index, secret);
  }
  const result = args.map((arg, index) => {
    const offset = cuts.get(index);
    if (offset === undefined) return redact(arg);
    return offset === 0 ? mark : `${redact(arg.slice(0, offset))}${mark}`;
  });
  return acrossArguments(result, redact);
}

/** What says that the next argument is a secret may stand in several: `config set requirepass x`, `user bob password x`. */
function acrossArguments(args: readonly string[], redact: (text: string) => string): string[] {
  // White space and quotes inside of an argument are no boundaries: letters of the private use area stand in for them.
  const hidden = args.map((arg) => arg.replace(/[\s"'`]/g, hide));
  const joined = redact(hidden.join(" ")).split(" ");
  // A rule that goes to the end of the line may have taken boundaries away.
  return joined.length === args.length
    ? joined.map((arg) => arg.replace(/[\ue000-\ue07f]/g, show))
    : [...args];
}

const hide = (character: string): string =>
  character.charCodeAt(0) < 128 ? String.fromCharCode(0xe000 + character.charCodeAt(0)) : character;
const show = (character: string): string => String.fromCharCode(character.charCodeAt(0) - 0xe000);
