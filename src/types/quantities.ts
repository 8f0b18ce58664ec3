/** Quantities as a person reads them, in every sentence of the program. */

const byteUnits = ["B", "kB", "MB", "GB", "TB", "PB"];

/** In powers of 1000, to three digits: `980 B`, `1.53 GB`. */
export function bytes(value: number): string {
  let scaled = value;
  let unit = 0;
  // What rounds to 1000 belongs to the next unit: toPrecision(3) makes "1.00e+3" of 999.9.
  while (Math.abs(scaled) >= 999.5 && unit < byteUnits.length - 1) {
    scaled /= 1000;
    unit += 1;
  }
  return `${unit === 0 || Math.abs(scaled) >= 999.5 ? Math.round(scaled) : scaled.toPrecision(3)} ${byteUnits[unit]}`;
}

/** The two largest units: `5 s`, `1 h 30 min`, `12 d 4 h`. */
export function duration(seconds: number): string {
  const total = Math.max(0, Math.round(seconds));
  const parts: [number, string][] = [
    [Math.floor(total / 86_400), "d"],
    [Math.floor((total % 86_400) / 3600), "h"],
    [Math.floor((total % 3600) / 60), "min"],
    [total % 60, "s"],
  ];
  const first = parts.findIndex(([amount]) => amount > 0);
  const shown = first === -1 ? [] : parts.slice(first, first + 2).filter(([amount]) => amount > 0);
  return shown.length === 0 ? "0 s" : shown.map(([amount, unit]) => `${amount} ${unit}`).join(" ");
}

/** How long is waited at most: `0.5 s`, `45 s`, `1 min 30 s`. */
export const timeLimit = (milliseconds: number): string =>
  milliseconds < 60_000 ? `${milliseconds / 1000} s` : duration(milliseconds / 1000);

/** How long something took: `0.8 ms`, `41 ms`, `5.0 s`. */
export function took(milliseconds: number): string {
  if (milliseconds >= 60_000) return duration(milliseconds / 1000);
  if (milliseconds >= 1000) return `${(milliseconds / 1000).toFixed(1)} s`;
  if (milliseconds < 0.05) return "< 0.1 ms";
  return milliseconds >= 9.95 ? `${Math.round(milliseconds)} ms` : `${milliseconds.toFixed(1)} ms`;
}

/** `91 %`, `91.2 %` */
export const percent = (value: number): string => `${Number(value.toFixed(1))} %`;

/** ISO 8601 -> `2026-11-20 22:45:20` */
export const dayAndTime = (iso: string): string => iso.slice(0, 19).replace("T", " ");

/** The same in a sentence. */
export const utc = (iso: string): string => `${dayAndTime(iso)} UTC`;
