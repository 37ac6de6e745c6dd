/** What an iPXE script of an edge makes a machine do next. */
export type ScriptStep =
  | {
      readonly kind: 'kernel';
      readonly kernelUrl: string;
      readonly initramfsUrl: string | undefined;
      /** The kernel's command line. */
      readonly arguments: string;
    }
  /** On to the next boot device. */
  | { readonly kind: 'local' }
  /** Ask again after a while. */
  | { readonly kind: 'wait'; readonly seconds: number; readonly scriptUrl: string };

/** Settings of iPXE by name and format: `mac:hexhyp`, `uuid`, `platform`. */
export type Settings = Readonly<Record<string, string>>;

/** `${name}` becomes the setting, and nothing where there is none, as iPXE has it. */
export function expandSettings(text: string, settings: Settings): string {
  return text.replace(/\$\{([^}]*)\}/g, (_, name: string) => settings[name] ?? '');
}

/** What iPXE knows of its machine. */
export function settingsOf(machine: {
  readonly mac: string;
  readonly uuid: string;
  readonly firmware: 'bios' | 'uefi';
}): Settings {
  const hyphened = machine.mac.replaceAll(':', '-');
  return {
    'mac:hexhyp': hyphened,
    'netX/mac:hexhyp': hyphened,
    uuid: machine.uuid,
    platform: machine.firmware === 'bios' ? 'pcbios' : 'efi',
  };
}

/**
 * Reads a script of an edge as far as a played machine follows it: what it loads, whether it goes on to the disk, or
 * when it asks again.
 * @throws Error for a script that does something else, such as a menu.
 */
export function readScript(text: string, settings: Settings): ScriptStep {
  if (!text.startsWith('#!ipxe\n')) throw new Error(`no iPXE script: ${JSON.stringify(text.slice(0, 80))}`);
  const lines = expandSettings(text, settings).split('\n');
  if (lines.some((line) => /^choose /.test(line)))
    throw new Error('a menu, which no played machine picks from');
  const [, kernelUrl, words = ''] = firstMatch(lines, /^kernel --name \S+ (\S+)(.*?)(?: \|\| .*)?$/) ?? [];
  if (kernelUrl !== undefined) {
    const [, initramfsUrl] = firstMatch(lines, /^initrd --name \S+ (\S+)/) ?? [];
    return { kind: 'kernel', kernelUrl, initramfsUrl, arguments: words.trim() };
  }
  const [, seconds] = firstMatch(lines, /^sleep (\d+)$/) ?? [];
  const [, scriptUrl] = firstMatch(lines, /^chain --replace (http\S+)/) ?? [];
  if (seconds !== undefined && scriptUrl !== undefined)
    return { kind: 'wait', seconds: Number(seconds), scriptUrl };
  if (lines.some((line) => /^sanboot --no-describe --drive 0x80/.test(line))) return { kind: 'local' };
  throw new Error(`a script that no played machine follows: ${lines.slice(1, 4).join(' / ')}`);
}

function firstMatch(lines: readonly string[], pattern: RegExp): RegExpExecArray | undefined {
  for (const line of lines) {
    const match = pattern.exec(line);
    if (match) return match;
  }
  return undefined;
}
