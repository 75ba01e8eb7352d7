/** What the parent asks of a contestant: times of one workload. */
export interface Request {
  readonly workload: string;
  /** Milliseconds of running before the first time of this workload. */
  readonly warmUp: number;
  /** Milliseconds of this round. */
  readonly budget: number;
}

/** What a contestant answers: milliseconds, one a sample; or why there are none. */
export interface Reply {
  readonly times?: readonly number[];
  readonly facts?: Readonly<Record<string, number>>;
  /** The most memory that the process has had so far, in bytes. */
  readonly peak?: number;
  readonly unsupported?: true;
  readonly error?: string;
}
