/** One line of `argus doctor`. */
export interface Ability {
  readonly name: string;
  readonly state: "ok" | "limited" | "broken";
  readonly detail: string;
  /** Several things that are wrong, one a line. */
  readonly faults?: readonly string[];
  readonly mend: string | null;
}

export const ok = (name: string, detail: string): Ability => ({ name, state: "ok", detail, mend: null });
export const limited = (name: string, detail: string, mend: string): Ability => ({
  name,
  state: "limited",
  detail,
  mend,
});
export const broken = (name: string, detail: string, mend: string): Ability => ({
  name,
  state: "broken",
  detail,
  mend,
});
