import type { Manifest } from '@bootswarm/images/format';

/** What a boot menu says about a release. */
export type MediumRelease = Pick<Manifest, 'name' | 'version' | 'architecture' | 'kernelArguments'>;

/** A file that only media of this release have, by which GRUB finds the one that it was started from. */
export function markPath({ name, version, architecture }: MediumRelease): string {
  return `/.disk/bootswarm-${name}-${version}-${architecture}`;
}

/** First file that GRUB reads: finds the medium, whatever firmware calls it, and goes on there. */
export function searchConfig(release: MediumRelease): string {
  return [
    `search --no-floppy --set=root --file ${markPath(release)}`,
    'set prefix=($root)/boot/grub',
    'configfile ($root)/boot/grub/grub.cfg',
    '',
  ].join('\n');
}

export interface MenuEntry {
  readonly title: string;
  readonly kernel: string;
  readonly initramfs: string;
  readonly arguments: readonly string[];
}

/**
 * The menu, on the screen and on the first serial port.
 * @param chosen which entry starts after 5 seconds, from 0.
 */
export function menuConfig(entries: readonly MenuEntry[], chosen = 0): string {
  const head = [
    `set default=${chosen}`,
    'set timeout=5',
    // A machine without that port, or firmware that shows it by itself, has no such terminal.
    'if serial --unit=0 --speed=115200; then',
    '  terminal_input --append serial',
    '  terminal_output --append serial',
    'fi',
  ];
  const menu = entries.flatMap((entry) => [
    `menuentry ${quoted(entry.title)} {`,
    `  linux ${entry.kernel} ${entry.arguments.map(quoted).join(' ')}`,
    `  initrd ${entry.initramfs}`,
    '}',
  ]);
  return [...head, ...menu, ''].join('\n');
}

/** GRUB manual, "Quoting": nothing within single quotes is special, and there is no way to write one. */
function quoted(word: string): string {
  return word
    .split("'")
    .map((part) => `'${part}'`)
    .join("\\'");
}
