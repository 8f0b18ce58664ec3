/** Wrong usage or settings, which the user can mend: printed as one sentence, exit status 2. A bug keeps its stack. */
export class UserError extends Error {
  override name = "UserError";
  /** One for each thing that is wrong. */
  readonly lines: readonly string[];

  constructor(said: string | readonly string[], options?: ErrorOptions) {
    const lines = typeof said === "string" ? [said] : said;
    super(lines.join("\n"), options);
    this.lines = lines;
  }
}

/** The work could not be done for a reason outside the program: printed the same way, exit status 1. */
export class WorkError extends UserError {
  override name = "WorkError";
}
