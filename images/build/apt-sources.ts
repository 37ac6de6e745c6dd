import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** One entry of apt's sources: sources.list(5), both formats. */
interface SourceEntry {
  readonly types: readonly string[];
  readonly uris: readonly string[];
  readonly suites: readonly string[];
  readonly components: readonly string[];
  readonly signedBy: string;
  readonly enabled: boolean;
}

export interface SourceFile {
  readonly name: string;
  readonly text: string;
}

/**
 * Picks from the host's apt sources what serves a Debian suite, its -updates and its -security.
 * @returns deb822 text, or undefined where the host has none: mmdebstrap then uses Debian's own default.
 */
export function debianSources(
  files: readonly SourceFile[],
  suite: string,
  components: readonly string[],
): string | undefined {
  const wanted = [suite, `${suite}-updates`, `${suite}-security`];
  const stanzas = files
    .flatMap((file) =>
      file.name.endsWith('.sources') ? deb822Entries(file.text) : oneLineEntries(file.text),
    )
    .filter(servesDebian)
    .map((entry) => ({ ...entry, suites: entry.suites.filter((name) => wanted.includes(name)) }))
    .filter((entry) => entry.suites.length > 0)
    .map((entry) =>
      [
        'Types: deb',
        `URIs: ${entry.uris.join(' ')}`,
        `Suites: ${entry.suites.join(' ')}`,
        `Components: ${components.join(' ')}`,
        ...(entry.signedBy === '' ? [] : [`Signed-By: ${entry.signedBy}`]),
      ].join('\n'),
    );
  // -updates alone is no base to install from.
  const hasBase = stanzas.some((stanza) => new RegExp(`^Suites:.* ${suite}( |$)`, 'm').test(stanza));
  return hasBase ? `${stanzas.join('\n\n')}\n` : undefined;
}

/** Addresses of the signed Release file of each suite in deb822 text. */
export function releaseUrls(sources: string): string[] {
  const urls = deb822Entries(sources).flatMap(({ uris, suites }) =>
    uris.flatMap((uri) => suites.map((suite) => `${uri.replace(/\/+$/, '')}/dists/${suite}/InRelease`)),
  );
  return [...new Set(urls)];
}

/** Vendors too name their suites after Debian's, but have a component or a key of their own. */
function servesDebian(entry: SourceEntry): boolean {
  return (
    entry.enabled &&
    entry.types.includes('deb') &&
    entry.components.includes('main') &&
    entry.uris.every((uri) => /^https?:/.test(uri)) &&
    (entry.signedBy === '' || /^\/\S*\/debian-archive-[^/\s]*$/.test(entry.signedBy))
  );
}

function deb822Entries(text: string): SourceEntry[] {
  const withoutComments = text.replace(/^#.*\n?/gm, '');
  return withoutComments.split(/\n\s*\n/).map((stanza) => {
    const unfolded = stanza.replace(/\n[ \t]+/g, ' ');
    const field = (name: string) => new RegExp(`^${name}:(.*)$`, 'im').exec(unfolded)?.[1]?.trim() ?? '';
    return {
      types: words(field('Types')),
      uris: words(field('URIs')),
      suites: words(field('Suites')),
      components: words(field('Components')),
      signedBy: field('Signed-By'),
      enabled: !/^(no|false|off|0)$/i.test(field('Enabled')),
    };
  });
}

function oneLineEntries(text: string): SourceEntry[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*(deb|deb-src)\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+([^#]*)/.exec(line);
    if (match === null) return [];
    const [, type = '', options = '', uri = '', suite = '', components = ''] = match;
    const signedBy = /(?:^|\s)signed-by=(\S+)/i.exec(options)?.[1] ?? '';
    return [
      { types: [type], uris: [uri], suites: [suite], components: words(components), signedBy, enabled: true },
    ];
  });
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}

/** The files of `aptFolder` (/etc/apt) that apt itself reads; none where there is no apt. */
export async function readSourceFiles(aptFolder: string): Promise<SourceFile[]> {
  const parts = join(aptFolder, 'sources.list.d');
  const names = await readdir(parts).catch(() => []);
  const paths = [join(aptFolder, 'sources.list'), ...names.sort().map((name) => join(parts, name))];
  const files = await Promise.all(
    paths
      .filter((path) => /\.(list|sources)$/.test(path))
      .map(async (path) => ({ name: path, text: await readFile(path, 'utf8').catch(() => '') })),
  );
  return files;
}

/** `http_proxy` and `https_proxy` as the output of `apt-config dump Acquire` sets them. */
export function proxyEnvironment(aptConfig: string): Record<string, string> {
  const settings = aptConfig.matchAll(/^Acquire::(https?)::Proxy "(https?:\/\/[^"]+)";$/gim);
  return Object.fromEntries(
    [...settings].map(([, scheme, url]) => [`${scheme?.toLowerCase()}_proxy`, url ?? '']),
  );
}
