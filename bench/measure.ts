/** One thing that is measured, and what it must not exceed. */
export interface Measure {
  readonly what: string;
  readonly value: string;
  readonly limit: string;
  readonly holds: boolean;
}

export type Bench = () => Promise<readonly Measure[]>;
