import { resolve } from 'node:path';
import { type ImportOptions, type ImportResult, importImage } from '@bootswarm/images/build';
import { Architecture } from '@bootswarm/images/format';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { builtText } from './image-text.ts';
import { factsText } from './output.ts';
import { parseRelease } from './references.ts';
import { inSession } from './session.ts';

interface Options {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  readonly bootStyle?: ImportOptions['bootStyle'];
  readonly kernel?: string;
  readonly initramfs?: string;
  readonly root?: string;
  readonly classic?: true;
  readonly kernelArgument?: string[];
  readonly menuArguments: boolean;
  readonly sha256?: string;
  readonly maxGigabytes?: number;
  readonly out?: string;
  readonly replace?: true;
}

export function addImport(image: Command): void {
  image
    .command('import')
    .summary("take a distribution's live medium, installer or disk image")
    .description(
      'Takes kernel, initramfs and root of a live medium (Debian, Fedora, CentOS, Ubuntu), an installer with its packages, or the image of a disk (raw or under zstd), into a folder that can be published.',
    )
    .argument(
      '<source>',
      'an ISO, a folder with what it holds, a netboot.tar.gz, a disk image, or the http address of one',
    )
    .requiredOption('--name <name>')
    .requiredOption('--version <version>')
    .option('--architecture <architecture>', Architecture.options.join(' or '), 'amd64')
    .addOption(
      new Option('--boot-style <style>', 'where the medium could be several things').choices([
        'live-boot',
        'dracut-live',
        'casper',
        'installer',
      ]),
    )
    .option('--kernel <path>', 'path of the kernel on the medium')
    .option('--initramfs <path>', 'path of the initramfs on the medium')
    .option('--root <path>', 'path of the root file system on the medium')
    .option('--classic', 'pack the root into the initramfs, for machines that can load two files alone')
    .option('--kernel-argument <argument...>', 'arguments that this image needs')
    .option('--no-menu-arguments', "leave alone the kernel arguments of the medium's own boot menu")
    .option('--sha256 <digits>', 'what the ISO must be', parseSha256)
    .option('--max-gigabytes <number>', 'the most to download', parseGigabytes)
    .option('--out <folder>', 'folder to make (default: NAME-VERSION-ARCHITECTURE)')
    .option('--replace', 'replace the folder if it is there')
    .action((source: string, options: Options, command: Command) =>
      inSession(command, async ({ output, progress, signal }) => {
        const { name, version, architecture } = parseRelease(
          `${options.name}/${options.version}/${options.architecture}`,
        );
        const { kernel, initramfs, root } = options;
        const outFolder = resolve(options.out ?? `${name}-${version}-${architecture}`);
        const result = await importImage({
          source,
          name,
          version,
          architecture,
          bootStyle: options.bootStyle,
          paths: { ...(kernel && { kernel }), ...(initramfs && { initramfs }), ...(root && { root }) },
          classic: options.classic,
          kernelArguments: options.kernelArgument ?? [],
          withoutMenuArguments: !options.menuArguments,
          sha256: options.sha256,
          mostBytes: options.maxGigabytes === undefined ? undefined : options.maxGigabytes * 1e9,
          outFolder,
          replace: options.replace === true,
          signal,
          onProgress: progress.show,
        });
        progress.end();
        output.result({ folder: outFolder, ...result }, () => importedText(outFolder, result));
      }),
    );
}

function importedText(
  folder: string,
  { manifest, layout, taken, menuArguments, notes }: ImportResult,
): string {
  const { menu, taken: fromMenu, left } = menuArguments;
  const facts = factsText({
    'taken for': layout,
    kernel: taken.kernel,
    initramfs: taken.initramfs,
    root: taken.root,
    'boot style': manifest.bootStyle,
    'kernel arguments':
      manifest.bootStyle === 'disk-image'
        ? undefined
        : manifest.kernelArguments.join(' ') || 'none of its own',
    'from its boot menu':
      menu && `${fromMenu.join(' ') || 'none'} (${menu}; left: ${left.join(' ') || 'none'})`,
  });
  return [facts, ...notes.map((note) => `note: ${note}`), '', builtText(folder, manifest)].join('\n');
}

function parseSha256(text: string): string {
  if (/^[0-9a-f]{64}$/i.test(text)) return text.toLowerCase();
  throw new InvalidArgumentError('It must be 64 hexadecimal digits.');
}

function parseGigabytes(text: string): number {
  const value = Number(text);
  if (value > 0 && value <= 1000) return value;
  throw new InvalidArgumentError('It must be a number from 1 to 1000.');
}
