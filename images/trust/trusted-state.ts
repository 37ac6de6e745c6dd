import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { verifyTargets } from './check-targets.ts';
import { readMetadata } from './metadata.ts';
import { problem } from './problems.ts';
import { checkRoot } from './root.ts';

/** The metadata that a client verified, as texts. */
export interface TrustedState {
  /** By version, the newest last; without gaps. */
  readonly roots: ReadonlyMap<number, string>;
  /** Of the last refresh that was good as a whole. */
  readonly verified?: {
    readonly timestamp: string;
    readonly snapshot: string;
    readonly targets: string;
  };
}

const Kept = z.strictObject({
  format: z.literal(1),
  roots: z.array(z.string()).min(1),
  verified: z.strictObject({ timestamp: z.string(), snapshot: z.string(), targets: z.string() }).optional(),
});

const FILE = 'trusted.json';

/** @throws Problem metadata_unreadable, metadata_unsigned */
export function stateOfRoot(root: string): TrustedState {
  const { version } = readMetadata('root', root).signed;
  return { roots: new Map([[version, root]]) };
}

export function newestRoot({ roots }: TrustedState): string {
  return [...roots.values()].at(-1) ?? '';
}

/**
 * What is kept in `folder`, or undefined. Verified again but for expiry: what was good is still good to serve from.
 * @throws Problem trust_state_unreadable
 */
export async function readState(folder: string): Promise<TrustedState | undefined> {
  const file = join(folder, FILE);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const { roots, verified } = Kept.parse(JSON.parse(text));
    const byVersion = new Map(
      roots.map((root) => [readMetadata('root', root).signed.version, root] as const),
    );
    const newest = roots.at(-1) ?? '';
    for (const [index, root] of roots.slice(1).entries()) checkRoot(roots[index], root, LONG_AGO);
    if (verified) verifyTargets(newest, verified.targets);
    return { roots: byVersion, ...(verified && { verified }) };
  } catch (error) {
    throw problem('trust_state_unreadable', {
      facts: { file, reason: (error as Error).message },
      cause: error,
    });
  }
}

const LONG_AGO = new Date(0);

/** In one step, durably: a crash leaves this state or the one before. */
export async function keepState(folder: string, { roots, verified }: TrustedState): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const kept: z.infer<typeof Kept> = {
    format: 1,
    roots: [...roots.values()],
    ...(verified && { verified: { ...verified } }),
  };
  const passing = join(folder, `${FILE}.new`);
  const handle = await open(passing, 'w', 0o600);
  try {
    await handle.writeFile(JSON.stringify(kept));
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(passing, join(folder, FILE));
  const directory = await open(folder);
  await directory.sync().finally(() => directory.close());
}
