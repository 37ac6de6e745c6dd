import type { Endpoint } from '@bootswarm/images/swarm';

/** What a hostile peer is to do; `artefact` and `original` are paths, `from` is its own address. */
export type HostileOrder =
  /** Sends each kind of malformed or senseless input, one after the other. Prints an `AttackReport` for each. */
  | { readonly kind: 'attack'; readonly artefact: string; readonly from: string; readonly to: Endpoint }
  /** Gives blocks of pieces and goes away, again and again, until it is not let in. Prints a `SpoilReport`. */
  | { readonly kind: 'spoil'; readonly artefact: string; readonly from: string; readonly to: Endpoint }
  /** Greets once and is closed, or not, within a second. Prints `{"isLetIn"}`. */
  | { readonly kind: 'greet'; readonly artefact: string; readonly from: string; readonly to: Endpoint }
  /** Is a peer as any other, but for a wrong byte in every piece. Prints `{"port"}`, and stays. */
  | { readonly kind: 'poison'; readonly artefact: string; readonly original: string; readonly port: number }
  /** Says that it has everything, and gives nothing, or all but nothing. Prints `{"withheld"}`, and stays. */
  | {
      readonly kind: 'choke' | 'mute' | 'trickle';
      readonly artefact: string;
      readonly from: string;
      readonly to: Endpoint;
    };

export interface AttackReport {
  readonly name: string;
  /** Until the connection was closed; null where it was not, within some seconds. */
  readonly droppedMs: number | null;
}

export interface SpoilReport {
  readonly visits: number;
}
