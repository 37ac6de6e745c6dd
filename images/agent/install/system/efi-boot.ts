import type { EfiFacts } from '../../inspect/efi-variables.ts';

/** An entry that the installation makes: one for each disk of a mirror. */
export interface WantedEntry {
  readonly label: string;
  readonly disk: string;
  /** Number of the EFI system partition. */
  readonly partition: number;
  /** Its path there, as firmware writes it. */
  readonly loader: string;
}

/** What the entry starts: ours, whose shim starts GRUB beside itself, or what an image of a disk brings with it. */
export const LOADERS = {
  own: '\\EFI\\bootswarm\\shimx64.efi',
  removable: '\\EFI\\BOOT\\BOOTX64.EFI',
} as const;

/** Entries of an installation before, by the labels that ours have: they go. */
export function staleEntries(
  { bootOrder }: Pick<EfiFacts, 'bootOrder'>,
  labels: readonly string[],
): readonly string[] {
  return bootOrder.filter(({ label }) => labels.includes(label)).map(({ number }) => number);
}

/** efibootmgr(8): makes an entry without a word on its place in the order. */
export function createCommand({
  label,
  disk,
  partition,
  loader,
}: WantedEntry): readonly ['efibootmgr', ...string[]] {
  return [
    'efibootmgr',
    ...['--create-only', '--disk', disk, '--part', String(partition), '--label', label, '--loader', loader],
  ];
}

/**
 * The order with new entries in it: behind the network entries at its beginning. A machine that asks the network first
 * goes on to do so, as that is how it is installed again; whichever does not boots its new system first.
 * @param made numbers of the new ones.
 * @param entries the order without them, and with the stale ones gone.
 */
export function bootOrderWith(entries: EfiFacts['bootOrder'], made: readonly string[]): readonly string[] {
  const others = entries.filter(({ number }) => !made.includes(number));
  const firstOther = others.findIndex(({ kind }) => kind !== 'network');
  const at = firstOther < 0 ? others.length : firstOther;
  const numbers = others.map(({ number }) => number);
  return [...numbers.slice(0, at), ...made, ...numbers.slice(at)];
}
