/** More faults than these are not read; their number says that there are more. */
const mostFaults = 50;

/** The first of a list of faults, one a line, and how many more there are. */
export function firstFaults(faults: readonly string[]): string[] {
  const rest = faults.length - mostFaults;
  return rest <= 0 ? [...faults] : [...faults.slice(0, mostFaults), `and ${rest} more`];
}

/** Wrong usage or settings, which the user can fix: printed one fault a line, exit status 2. A bug keeps its stack. */
export class UserError extends Error {
  override name = "UserError";
  /** One for each thing that is wrong; a heading ends with a colon. */
  readonly lines: readonly string[];

  /** The message has all of them in one line, for a log. */
  constructor(said: string | readonly string[], options?: ErrorOptions) {
    const lines = firstFaults(typeof said === "string" ? [said] : said);
    super(lines.join("; ").replace(/^([^;]*:); /, "$1 "), options);
    this.lines = lines;
  }
}

/** The work could not be done for a reason outside the program: printed the same way, exit status 1. */
export class WorkError extends UserError {
  override name = "WorkError";
}
