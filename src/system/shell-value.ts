/**
 * The value of a line NAME=value, as a shell reads it where that is harmless: quotes, a comment behind it, $HOME and what
 * stands above in the same file. Nothing is ever run. Pure.
 */

export interface ShellNames {
  /** null: it is not known here. */
  known(name: string): string | null;
  /** A secret may hold any character: only one that is a name as a whole is replaced. */
  readonly isSecret: boolean;
}

export type ShellValue =
  | { readonly text: string }
  /** What no file of settings can mean. */
  | { readonly fault: string }
  /** A shell would run a program for it. */
  | { readonly runs: true };

const reference = /\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?::?-([^{}]*))?\})/g;
const whole = new RegExp(`^(?:${reference.source})$`);

/** Names that a value refers to. */
export const namesIn = (text: string): string[] =>
  [...text.matchAll(reference)].map(([, bare, braced]) => bare ?? braced ?? "");

/** @param raw what stands behind the =, without space around it. */
export function readShellValue(raw: string, names: ShellNames): ShellValue {
  const quote = raw[0];
  if (quote !== '"' && quote !== "'") return expanded(withoutComment(raw, names.isSecret), names);
  const end = raw.indexOf(quote, 1);
  if (end === -1) return { fault: `has an opening ${quote} that is not closed` };
  const inside = raw.slice(1, end);
  const rest = raw.slice(end + 1);
  // "$HOME"/notes is one word.
  const tail = /^\/[^\s"'`$\\]*/.exec(rest)?.[0] ?? "";
  if (!/^(\s+#.*|\s*)$/.test(rest.slice(tail.length)))
    return { fault: `has text after its closing ${quote}` };
  if (quote === "'") return { text: `${inside}${tail}` };
  const value = expanded(inside, names);
  return "text" in value ? { text: `${value.text}${tail}` } : value;
}

const withoutComment = (text: string, isSecret: boolean): string =>
  isSecret ? text : text.replace(/(^|\s+)#.*$/, "");

function expanded(text: string, names: ShellNames): ShellValue {
  if (names.isSecret) return { text: whole.test(text) ? replaced(text, names) : text };
  if (/`|\$\(/.test(text)) return { runs: true };
  return { text: replaced(text, names) };
}

/** A name that nobody knows stays as it stands: an empty piece of a path would name another place. */
function replaced(text: string, { known }: ShellNames): string {
  return text.replace(
    reference,
    (written: string, bare: string | undefined, braced: string | undefined, otherwise: string | undefined) =>
      known(bare ?? braced ?? "") ??
      otherwise?.replace(reference, (inner) => replacedOnce(inner, known)) ??
      written,
  );
}

const replacedOnce = (written: string, known: ShellNames["known"]): string =>
  known(namesIn(written)[0] ?? "") ?? written;
