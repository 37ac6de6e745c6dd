import { basename, resolve } from 'node:path';
import { MediumProfile } from '@bootswarm/controller/contract';
import { type BuildOptions, buildImage, defaultCacheFolder } from '@bootswarm/images/build';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { builtText } from './image-text.ts';
import { readProfileFile } from './profile-file.ts';
import { inSession } from './session.ts';

interface BuildFlags {
  readonly out?: string;
  readonly replace?: true;
  readonly mirror?: string;
  readonly set?: Readonly<Record<string, string>>;
  readonly locked?: true | string;
  readonly cache: boolean;
  readonly iso?: true;
  readonly disk?: true;
  readonly installProfile?: string;
  readonly mini?: string;
  readonly installWait: number;
  readonly isoDefault: 'live' | 'install';
}

export function addBuild(image: Command): void {
  image
    .command('build')
    .summary('make a live image from a recipe')
    .description(
      "Makes a live image from Debian's packages, as a recipe says, into a folder. The same recipe and versions of packages give the same bytes. What a later build can take over stays in a cache: 'image cache list'.",
    )
    .argument('<recipe>', 'a YAML file, such as images/recipes/minimal.yaml')
    .option('--out <folder>', 'folder to make (default: named after the recipe)')
    .option('--replace', 'replace the folder if it is there')
    .option('--mirror <url>', "Debian mirror to install from (default: the host's own)")
    .option(
      '--set <variable=value>',
      'value for a variable of the recipe; may be repeated',
      parseVariable,
      {},
    )
    .option('--locked [lock]', 'take the versions of a packages.lock (default: that of the folder to make)')
    .option('--iso', 'also make medium.iso: the live system as a CD or USB disk, for BIOS and UEFI')
    .option('--disk', 'also make disk.raw.zst: the system installed on a disk, for BIOS and UEFI')
    .addOption(
      new Option(
        '--install-profile <file>',
        'let the ISO install the image to disk, too, without a network, as a profile of kind image says; implies --iso',
      ).implies({ iso: true }),
    )
    .option('--mini <folder>', "for that: made by 'mini build' (default: one for all hardware is made)")
    .option('--install-wait <seconds>', 'for that: so long its plan is shown first', parseSeconds, 30)
    .addOption(
      new Option('--iso-default <entry>', 'for that: what the menu chooses by itself')
        .choices(['live', 'install'])
        .default('live'),
    )
    .option('--no-cache', 'take nothing from earlier builds, and keep nothing for later ones')
    .action((recipeFile: string, flags: BuildFlags, command: Command) =>
      inSession(command, async ({ output, progress, signal }) => {
        const outFolder = resolve(flags.out ?? basename(recipeFile).replace(/\.ya?ml$/, ''));
        const install = await installOf(flags);
        const lock = flags.locked === true ? outFolder : flags.locked;
        const manifest = await buildImage({
          recipeFile,
          ...(flags.set === undefined ? {} : { variables: flags.set }),
          outFolder,
          replace: flags.replace === true,
          ...(flags.mirror === undefined ? {} : { mirror: flags.mirror }),
          ...(lock === undefined ? {} : { lock }),
          ...(flags.cache ? { cacheFolder: defaultCacheFolder() } : {}),
          media: (['iso', 'disk'] as const).filter((medium) => flags[medium] === true),
          ...(install === undefined ? {} : { install }),
          signal,
          onProgress: progress.show,
        });
        progress.end();
        output.result({ folder: outFolder, manifest }, () => builtText(outFolder, manifest));
      }),
    );
}

/** @throws as readProfileFile */
async function installOf({
  installProfile,
  mini,
  installWait,
  isoDefault,
}: BuildFlags): Promise<BuildOptions['install']> {
  if (installProfile === undefined) return undefined;
  return {
    profile: await readProfileFile(installProfile, MediumProfile),
    ...(mini === undefined ? {} : { miniFolder: mini }),
    waitSeconds: installWait,
    isDefault: isoDefault === 'install',
  };
}

function parseSeconds(text: string): number {
  if (!/^\d{1,5}$/.test(text)) throw new InvalidArgumentError('must be a number of seconds');
  return Number(text);
}

function parseVariable(
  text: string,
  before: Readonly<Record<string, string>> | undefined,
): Readonly<Record<string, string>> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('Write NAME=TEXT, such as SITE=nuremberg.');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}
