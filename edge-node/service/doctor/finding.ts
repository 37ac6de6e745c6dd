/** What one look found. */
export interface Finding {
  readonly check: 'interface' | 'relay' | 'servers' | 'mtu' | 'stp' | 'clock' | 'ports' | 'firmware';
  /** The interface, address, port or file. */
  readonly about: string;
  /** `warn`: machines may boot, or not. `skipped`: it cannot be known from here. */
  readonly result: 'ok' | 'warn' | 'failed' | 'skipped';
  /** For a person. */
  readonly seen: string;
  /** What to do, unless it is ok. */
  readonly remedy?: string;
}
