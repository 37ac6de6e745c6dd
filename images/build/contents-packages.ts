import type { ContentsPackage } from '@bootswarm/images/format';

/** What of a Debian root tells its packages (dpkg-query(1), FILES). */
const STATUS = 'var/lib/dpkg/status';
const LIST = /^var\/lib\/dpkg\/info\/([^/]+)\.list$/;
const DIVERSIONS = 'var/lib/dpkg/diversions';
/** Of each of them: the largest list (linux-source, unpacked) has 10 MB, the status of 4000 packages 8 MB. */
const MOST_DATABASE_BYTES = 64 * 1024 * 1024;

/** Gathers what a package database says while the files of a root go by, in any order. */
export class PackageDatabase {
  #packages: readonly ContentsPackage[] = [];
  #diversions: ReadonlyMap<string, Diversion> = new Map();
  /** A path that was diverted belongs to two. */
  readonly #lists: { readonly name: string; readonly paths: readonly string[] }[] = [];

  /** Whether the content of a file is worth keeping for `take`. */
  wants(path: string, bytes: number): boolean {
    return bytes <= MOST_DATABASE_BYTES && (path === STATUS || path === DIVERSIONS || LIST.test(path));
  }

  take(path: string, content: string): void {
    const [, list] = LIST.exec(path) ?? [];
    if (path === STATUS) this.#packages = packagesOf(content);
    else if (path === DIVERSIONS) this.#diversions = diversionsOf(content);
    else if (list !== undefined)
      this.#lists.push({
        name: list.replace(/:.*/, ''),
        paths: content.split('\n').map((line) => line.slice(1)),
      });
  }

  /** In order of their names. */
  packages(): readonly ContentsPackage[] {
    return this.#packages;
  }

  /**
   * To be asked once everything was taken.
   * @param aliases folders that are links, by where they lead: with merged /usr a list says `bin/sh` of a file that
   * is at `usr/bin/sh`.
   */
  owners(aliases: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
    const owners = new Map<string, string>();
    for (const { name, paths } of this.#lists) {
      for (const path of paths) {
        const diverted = this.#diversions.get(path);
        owners.set(withoutAlias(diverted && diverted.by !== name ? diverted.to : path, aliases), name);
      }
    }
    return owners;
  }
}

function withoutAlias(path: string, aliases: ReadonlyMap<string, string>): string {
  const slash = path.indexOf('/');
  const target = slash > 0 ? aliases.get(path.slice(0, slash)) : undefined;
  return target === undefined ? path : target + path.slice(slash);
}

/** Paragraphs of deb-control(5) fields; a package that is not installed has left its configuration alone. */
function packagesOf(status: string): ContentsPackage[] {
  return status
    .split('\n\n')
    .map(fieldsOf)
    .filter((fields) => fields.get('Status')?.endsWith(' installed'))
    .map((fields) => ({
      package: fields.get('Package') ?? '',
      version: fields.get('Version') ?? '',
      architecture: fields.get('Architecture') ?? '',
      installedBytes: 1024 * (Number.parseInt(fields.get('Installed-Size') ?? '', 10) || 0),
    }))
    .filter((each) => each.package !== '' && each.version !== '' && each.architecture !== '')
    .sort((a, b) => compare(a.package, b.package) || compare(a.architecture, b.architecture));
}

function fieldsOf(paragraph: string): Map<string, string> {
  const lines = paragraph.split('\n').map((line) => /^([A-Za-z-]+): *(.*)$/.exec(line));
  return new Map(lines.filter((line) => line !== null).map(([, name = '', value = '']) => [name, value]));
}

interface Diversion {
  /** Where the files of all other packages go. */
  readonly to: string;
  readonly by: string;
}

/** By path. Three lines each: from, to, package (dpkg-divert(1)). */
function diversionsOf(text: string): Map<string, Diversion> {
  const lines = text.split('\n');
  const found = new Map<string, Diversion>();
  for (let at = 0; at + 2 < lines.length; at += 3) {
    const [from = '', to = '', by = ''] = lines.slice(at, at + 3);
    found.set(from.slice(1), { to: to.slice(1), by });
  }
  return found;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
