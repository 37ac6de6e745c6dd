import { BuildCache, type CacheEntry, defaultCacheFolder } from '@bootswarm/images/build';
import type { Command } from 'commander';
import { bytesText, tableText } from './output.ts';
import { inSession } from './session.ts';

/** `image cache list` and `image cache clean`: what builds on this host left for later ones. */
export function addCache(image: Command): void {
  const cache = image.command('cache').description('What builds on this host left for later ones.');

  cache
    .command('list')
    .description('List what is kept, what was used last first.')
    .action((_options: unknown, command: Command) =>
      inSession(command, async ({ output }) => {
        const folder = defaultCacheFolder();
        const entries = await new BuildCache(folder).list();
        output.result({ folder, entries }, () => cacheText(folder, entries));
      }),
    );

  cache
    .command('clean')
    .description('Remove all of it, but for what a build uses at the moment.')
    .action((_options: unknown, command: Command) =>
      inSession(command, async ({ output }) => {
        const folder = defaultCacheFolder();
        const held = new BuildCache(folder);
        const before = sumOf(await held.list());
        await held.clean();
        const freedBytes = before - sumOf(await held.list());
        output.result({ folder, freedBytes }, () => `Freed ${bytesText(freedBytes)} in ${folder}`);
      }),
    );
}

function cacheText(folder: string, entries: readonly CacheEntry[]): string {
  if (entries.length === 0) return `There is nothing in ${folder}`;
  const table = tableText(
    ['KIND', 'MADE FOR', 'SIZE', 'USED'],
    entries.map(({ kind, label, bytes, usedAt }) => [kind, label, bytesText(bytes), usedAt]),
  );
  return `${table}\n\n${bytesText(sumOf(entries))} in ${folder}`;
}

function sumOf(entries: readonly CacheEntry[]): number {
  return entries.reduce((sum, { bytes }) => sum + bytes, 0);
}
