import { basename, resolve } from 'node:path';
import { endpoints, type Release } from '@bootswarm/controller/contract';
import { buildImage, importFolder, verifyBuildFolder } from '@bootswarm/images/build';
import { Architecture, type Manifest, releaseId } from '@bootswarm/images/format';
import type { Command } from 'commander';
import { bytesText, factsText, tableText } from './output.ts';
import { publish } from './publish.ts';
import { parseRelease } from './references.ts';
import { inSession } from './session.ts';

export function addImage(program: Command): void {
  const image = program.command('image').description('Build, import and publish live images.');
  addBuild(image);
  addImport(image);
  addPublish(image);
  addList(image);
  addShow(image);
}

function addBuild(image: Command): void {
  image
    .command('build')
    .summary('make a live image from a recipe')
    .description("Makes a live image from Debian's packages, as a recipe says, into a folder.")
    .argument('<recipe>', 'a YAML file, such as images/recipes/minimal.yaml')
    .option('--out <folder>', 'folder to make (default: named after the recipe)')
    .option('--replace', 'replace the folder if it is there')
    .option('--mirror <url>', "Debian mirror to install from (default: the host's own)")
    .action(
      (recipeFile: string, options: { out?: string; replace?: true; mirror?: string }, command: Command) =>
        inSession(command, async ({ output, progress, signal }) => {
          const outFolder = resolve(options.out ?? basename(recipeFile).replace(/\.ya?ml$/, ''));
          const manifest = await buildImage({
            recipeFile,
            outFolder,
            replace: options.replace === true,
            ...(options.mirror === undefined ? {} : { mirror: options.mirror }),
            signal,
            onProgress: progress.show,
          });
          progress.end();
          output.result({ folder: outFolder, manifest }, () => builtText(outFolder, manifest));
        }),
    );
}

function addImport(image: Command): void {
  image
    .command('import')
    .summary('take a live image that was made elsewhere')
    .description(
      'Takes kernel, initramfs and root of a Debian live folder into a folder that can be published.',
    )
    .argument('<folder>', 'holds vmlinuz, initrd.img and the squashfs, as on a Debian live medium')
    .requiredOption('--name <name>')
    .requiredOption('--version <version>')
    .option('--architecture <architecture>', Architecture.options.join(' or '), 'amd64')
    .option('--kernel-argument <argument...>', 'arguments that this image needs')
    .option('--out <folder>', 'folder to make (default: NAME-VERSION-ARCHITECTURE)')
    .option('--replace', 'replace the folder if it is there')
    .action(
      (
        folder: string,
        options: {
          name: string;
          version: string;
          architecture: string;
          kernelArgument?: string[];
          out?: string;
          replace?: true;
        },
        command: Command,
      ) =>
        inSession(command, async ({ output, progress, signal }) => {
          const { name, version, architecture } = parseRelease(
            `${options.name}/${options.version}/${options.architecture}`,
          );
          const outFolder = resolve(options.out ?? `${name}-${version}-${architecture}`);
          const manifest = await importFolder({
            folder,
            name,
            version,
            architecture,
            kernelArguments: options.kernelArgument ?? [],
            outFolder,
            replace: options.replace === true,
            signal,
            onProgress: progress.show,
          });
          progress.end();
          output.result({ folder: outFolder, manifest }, () => builtText(outFolder, manifest));
        }),
    );
}

function addPublish(image: Command): void {
  image
    .command('publish')
    .summary('send a built image to the controller as a release')
    .description(
      'Sends what the controller does not hold yet, and makes the release. It never changes afterwards.',
    )
    .argument('<folder>', "made by 'image build' or 'image import'")
    .action((folder: string, _options: unknown, command: Command) =>
      inSession(command, async ({ output, progress, signal, client }) => {
        // Asked first: who is not logged in should not wait for the hashes.
        const controller = client();
        const build = await verifyBuildFolder(folder, {
          signal,
          onBytes: (bytes, ofBytes) => progress.show({ stage: 'verify', fraction: bytes / ofBytes }),
        });
        const release = await publish(controller, build.manifest, build.artefactPath, {
          signal,
          onBytes: (held, total) =>
            progress.show({
              stage: 'upload',
              fraction: held / total,
              message: `${bytesText(held)} of ${bytesText(total)}`,
            }),
        });
        progress.end();
        output.result(release, ({ manifest }) => `Published ${releaseId(manifest)}`);
      }),
    );
}

function addList(image: Command): void {
  image
    .command('list')
    .description('List the published releases.')
    .action((_options: unknown, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const releases = await client().call(endpoints.listReleases, {}, { signal });
        output.result(releases, () =>
          tableText(
            ['RELEASE', 'SIZE', 'PUBLISHED'],
            releases.map(({ manifest, publishedAt }) => [
              releaseId(manifest),
              bytesText(manifest.artefacts.reduce((sum, artefact) => sum + artefact.length, 0)),
              publishedAt,
            ]),
          ),
        );
      }),
    );
}

function addShow(image: Command): void {
  image
    .command('show')
    .description('Show a release: its artefacts and kernel arguments.')
    .argument('<release>', 'NAME/VERSION/ARCHITECTURE')
    .action((text: string, _options: unknown, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const params = parseRelease(text);
        const release = await client().call(endpoints.showRelease, { params }, { signal });
        output.result(release, releaseText);
      }),
    );
}

function releaseText({ manifest, publishedAt }: Release): string {
  const facts = factsText({
    release: releaseId(manifest),
    published: publishedAt,
    'kernel arguments': manifest.kernelArguments.join(' '),
  });
  return `${facts}\n\n${artefactsText(manifest)}`;
}

function builtText(folder: string, manifest: Manifest): string {
  return [
    `Built ${releaseId(manifest)} in ${folder}`,
    artefactsText(manifest),
    `Publish it with: bootswarm image publish ${folder}`,
  ].join('\n');
}

function artefactsText(manifest: Manifest): string {
  return tableText(
    ['ROLE', 'NAME', 'SIZE', 'SHA-256'],
    manifest.artefacts.map(({ role, name, length, sha256 }) => [role, name, bytesText(length), sha256]),
  );
}
