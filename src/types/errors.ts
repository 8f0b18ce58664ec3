/** Something the user can mend: printed as one sentence, exit status 2. Anything else is a bug and keeps its stack. */
export class UserError extends Error {
  override name = "UserError";
}
