/** An address and whose it is. */
export interface Lease {
  readonly segment: string;
  readonly address: string;
  readonly mac: string;
  /**
   * `offered` is held in memory alone. `released` keeps the affinity of its machine until somebody else needs
   * the address. `declined` is an address that a machine found in use: nobody gets it until it expires.
   */
  readonly state: 'offered' | 'bound' | 'released' | 'declined';
  /** Milliseconds of Unix time. */
  readonly expiresAtMs: number;
  readonly uuid?: string;
}

/** The leases as a decision sees them. */
export interface LeaseView {
  /** The last lease of a machine in a segment, whatever its state. */
  ofMac(segment: string, mac: string): Lease | undefined;
  at(address: string): Lease | undefined;
}

/** Whether `mac` may be given the address that `lease` (undefined: nobody yet) is about. */
export function isFreeFor(lease: Lease | undefined, mac: string, nowMs: number): boolean {
  if (lease === undefined || lease.expiresAtMs <= nowMs) return true;
  return lease.mac === mac && lease.state !== 'declined';
}
