/** Wrong usage or settings, which the user can mend: printed as one sentence, exit status 2. A bug keeps its stack. */
export class UserError extends Error {
  override name = "UserError";
}

/** The work could not be done for a reason outside the program: printed the same way, exit status 1. */
export class WorkError extends UserError {
  override name = "WorkError";
}
