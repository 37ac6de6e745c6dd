import { execFile, spawn } from 'node:child_process';
import { copyFile, mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { pathOf, program } from './program.ts';

/**
 * The minimal image for several machines at a time that two cores emulate: of six, and once of three, systemd gave one
 * up that had waited 90 s for its console.
 */
const PATIENT = `include: [minimal.yaml]
name: minimal
version: "1.0"
architecture: amd64
suite: bookworm
files:
  - path: /etc/systemd/system.conf.d/patience.conf
    content: |
      [Manager]
      DefaultTimeoutStartSec=15min
      DefaultDeviceTimeoutSec=15min
`;

/** Builds images/recipes/minimal.yaml, with more patience, as buildRecipe does. */
export async function buildMinimal(folder: string, onProgress?: (detail: string) => void): Promise<void> {
  await using recipes = await mkdtempDisposable(join(tmpdir(), 'bootswarm-recipe-'));
  const recipe = join(recipes.path, 'patient.yaml');
  await copyFile(pathOf('images/recipes/minimal.yaml'), join(recipes.path, 'minimal.yaml'));
  await writeFile(recipe, PATIENT);
  await buildRecipe(recipe, folder, onProgress);
}

/**
 * Builds a recipe by the command, outside any lab: the packages come from Debian's mirrors.
 * @param recipe its path.
 * @param onProgress told each new stage, in words.
 */
export async function buildRecipe(
  recipe: string,
  folder: string,
  onProgress: (detail: string) => void = () => {},
): Promise<void> {
  const [node, ...args] = program(
    ...['controller/cli/main.ts', '--json', 'image', 'build', recipe, '--out', folder],
  );
  const child = spawn(node, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const stop = (): void => void child.kill('SIGTERM');
  process.once('exit', stop);
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  let last = '';
  for await (const line of createInterface({ input: child.stdout })) {
    const { event, stage, message } = JSON.parse(line) as Readonly<Record<string, string | undefined>>;
    const detail = [stage, message].filter(Boolean).join(': ');
    if (event === 'progress' && detail !== last) onProgress(detail);
    last = detail;
  }
  const code = await ended;
  process.off('exit', stop);
  if (code !== 0) throw new Error(`bootswarm image build ended with code ${code}`);
}

/**
 * Builds a mini image by the command, outside any lab.
 * @param env of a site, whose keys it is to trust; without it, it trusts nobody.
 */
export async function buildMini(
  flavour: 'full' | 'vm',
  folder: string,
  env?: Readonly<Record<string, string>>,
): Promise<void> {
  const trust = env === undefined ? ['--no-trust-root'] : [];
  const [node, ...args] = program(
    ...['controller/cli/main.ts', '--json', 'mini', 'build', '--flavour', flavour, '--out', folder],
    ...trust,
  );
  await promisify(execFile)(node, args, {
    maxBuffer: 64 * 1024 * 1024,
    env: { ...process.env, ...env },
  });
}
