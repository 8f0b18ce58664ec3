export interface DayLine {
  t: number;
  kind?: string;
  [more: string]: unknown;
}
export interface DayResult {
  readonly violations: {
    readonly rule: string;
    readonly subject: string;
    readonly t: number;
    readonly text: string;
  }[];
  readonly counts: Record<string, number>;
  timelineOf(subject: string, at: number): string;
}
export function check(record: readonly DayLine[], received: readonly DayLine[]): DayResult;
export function report(result: DayResult, most?: number): string;
export function readDay(recordFile: string, receivedFile: string): [DayLine[], DayLine[]];
