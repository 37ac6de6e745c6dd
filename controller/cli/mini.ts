import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { endpoints, type MiniSetting } from '@bootswarm/controller/contract';
import {
  buildMini,
  defaultCacheFolder,
  FLAVOURS,
  MINI_MOST_BYTES,
  MINI_SUITES,
  type MiniOptions,
  type MiniResult,
} from '@bootswarm/images/build';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { builtText } from './image-text.ts';
import { bytesText, tableText } from './output.ts';
import { problem } from './problems.ts';
import { parseReference } from './references.ts';
import { inSession } from './session.ts';
import { KeyFolder, keysOption } from './signing/key-folder.ts';

export function addMini(program: Command): void {
  const mini = program
    .command('mini')
    .description('The mini image: kernel, drivers and the agent that inspects and installs.');
  addBuild(mini);
  addUse(mini);
  addShow(mini);
}

function addUse(mini: Command): void {
  mini
    .command('use')
    .summary('boot machines into a release to inspect and install them')
    .description('Makes a published mini image the one of its architecture. Every edge fetches it.')
    .argument('<release>', 'NAME/VERSION/ARCHITECTURE, or NAME/@CHANNEL/ARCHITECTURE to follow a channel')
    .action((text: string, _options: unknown, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const body = { release: parseReference(text) };
        output.result(await client().call(endpoints.useMini, { body }, { signal }), settingText);
      }),
    );
}

function addShow(mini: Command): void {
  mini
    .command('show')
    .description('Show the mini image of each architecture.')
    .action((_options: unknown, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        output.result(await client().call(endpoints.showMini, {}, { signal }), settingText);
      }),
    );
}

function settingText(setting: MiniSetting): string {
  const rows = Object.entries(setting).map(([architecture, release = '-']) => [architecture, release]);
  return rows.length === 0
    ? "No mini image is chosen. Build one with 'bootswarm mini build', publish it, and 'bootswarm mini use RELEASE'."
    : tableText(['ARCHITECTURE', 'RELEASE'], rows);
}

interface BuildFlags {
  readonly flavour: MiniOptions['flavour'];
  readonly suite: MiniOptions['suite'];
  /** False where it is to have none. */
  readonly trustRoot?: string | false;
  readonly keys?: string;
  readonly firmware?: string;
  readonly kernelArgument?: string[];
  readonly releaseVersion?: string;
  readonly mostBytes: number;
  readonly mirror?: string;
  readonly out?: string;
  readonly replace?: true;
  readonly cache: boolean;
}

function addBuild(mini: Command): void {
  mini
    .command('build')
    .summary("make a mini image from Debian's packages")
    .description(
      "Makes a mini image from Debian's packages and the agent of this checkout, into a folder that can be published.",
    )
    .addOption(
      new Option('--flavour <flavour>', 'full, or vm: without the drivers of hardware')
        .choices(FLAVOURS)
        .default('full'),
    )
    .addOption(new Option('--suite <suite>', 'of Debian').choices(MINI_SUITES).default('bookworm'))
    .option('--trust-root <file>', 'root.json that the agent trusts (default: the root that your keys know)')
    .option('--no-trust-root', 'none: the agent inspects, and refuses every release')
    .addOption(keysOption())
    .option('--firmware <folder>', 'blobs for cards that need them, as they lie below /lib/firmware')
    .option('--kernel-argument <argument...>', 'in place of the consoles tty0 and ttyS0')
    .option('--release-version <version>', 'default: after the agent, the kernel and the contents')
    .option('--most-bytes <number>', 'of kernel and initramfs together', parseBytes, MINI_MOST_BYTES)
    .option('--mirror <url>', "Debian mirror to take packages from (default: the host's own)")
    .option('--out <folder>', 'folder to make (default: mini or mini-vm)')
    .option('--replace', 'replace the folder if it is there')
    .option('--no-cache', 'take nothing from earlier builds, and keep nothing for later ones')
    .action((flags: BuildFlags, command: Command) =>
      inSession(command, async ({ output, progress, signal }) => {
        const outFolder = resolve(flags.out ?? (flags.flavour === 'full' ? 'mini' : `mini-${flags.flavour}`));
        const trustRoot = trustRootOf(flags);
        const result = await buildMini({
          flavour: flags.flavour,
          suite: flags.suite,
          outFolder,
          replace: flags.replace === true,
          mostBytes: flags.mostBytes,
          ...(trustRoot === undefined ? {} : { trustRoot }),
          ...(flags.firmware === undefined ? {} : { firmwareFolder: flags.firmware }),
          ...(flags.kernelArgument === undefined ? {} : { kernelArguments: flags.kernelArgument }),
          ...(flags.releaseVersion === undefined ? {} : { version: flags.releaseVersion }),
          ...(flags.mirror === undefined ? {} : { mirror: flags.mirror }),
          ...(flags.cache ? { cacheFolder: defaultCacheFolder() } : {}),
          signal,
          onProgress: progress.show,
        });
        progress.end();
        output.result({ folder: outFolder, ...result }, () => resultText(outFolder, result));
      }),
    );
}

/** @throws Problem mini_trust_root_unknown */
function trustRootOf(flags: BuildFlags): MiniOptions['trustRoot'] {
  if (flags.trustRoot === false) return undefined;
  if (flags.trustRoot !== undefined)
    return { text: readFileSync(flags.trustRoot, 'utf8'), from: flags.trustRoot };
  const keys = new KeyFolder(flags.keys === undefined ? {} : { keys: flags.keys });
  const known = keys.known();
  if (!known) throw problem('mini_trust_root_unknown', { facts: { folder: keys.path } });
  return { text: known.root, from: keys.path };
}

function resultText(
  folder: string,
  { manifest, bytes, kernel, parts, absentDrivers, leftOut }: MiniResult,
): string {
  const rows = parts.map((part) => [
    part.part,
    bytesText(part.bytes),
    `about ${bytesText(part.compressedBytes)}`,
  ]);
  return [
    builtText(folder, manifest),
    '',
    `Kernel ${kernel}; kernel and initramfs together ${bytes} bytes`,
    tableText(['PART', 'UNPACKED', 'COMPRESSED'], rows),
    ...(leftOut.length === 0
      ? []
      : [
          `Left out, as their firmware is not in Debian's main (--firmware FOLDER): ${leftOut.map(({ name }) => name).join(', ')}`,
        ]),
    ...(absentDrivers.length === 0 ? [] : [`Not in this kernel: ${absentDrivers.join(', ')}`]),
  ].join('\n');
}

function parseBytes(text: string): number {
  if (!/^[1-9]\d{0,11}$/.test(text)) throw new InvalidArgumentError('must be a number of bytes');
  return Number(text);
}
