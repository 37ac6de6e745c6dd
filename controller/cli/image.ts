import { endpoints, type Release, type ReleaseUse, releaseUseText } from '@bootswarm/controller/contract';
import { readBuildFolder, verifyBuildFolder } from '@bootswarm/images/build';
import { releaseId } from '@bootswarm/images/format';
import type { Command } from 'commander';
import { addBuild } from './image-build.ts';
import { addCache } from './image-cache.ts';
import { addDiff } from './image-diff.ts';
import { addImport } from './image-import.ts';
import { addRemoval } from './image-removal.ts';
import { addRetention } from './image-retention.ts';
import { artefactsText } from './image-text.ts';
import { bytesText, factsText, tableText } from './output.ts';
import { publish } from './publish.ts';
import { parseRelease } from './references.ts';
import { inSession } from './session.ts';
import { KeyFolder, type KeyOptions, keysOption } from './signing/key-folder.ts';

export function addImage(program: Command): void {
  const image = program.command('image').description('Build, import and publish live images.');
  addBuild(image);
  addCache(image);
  addImport(image);
  addPublish(image);
  addList(image);
  addShow(image);
  addDiff(image);
  addRetention(image);
  addRemoval(image);
}

function addPublish(image: Command): void {
  image
    .command('publish')
    .summary('send a built image to the controller as a release')
    .description(
      'Sends what the controller does not hold yet, and makes the release. It never changes afterwards.',
    )
    .argument('<folder>', "made by 'image build' or 'image import'")
    .addOption(keysOption())
    .action((folder: string, options: KeyOptions, command: Command) =>
      inSession(command, async ({ output, progress, signal, client }) => {
        const controller = client();
        const build = await readBuildFolder(folder);
        const release = await publish(controller, build, {
          // Told once they do not match: otherwise every byte would be hashed on both sides (decisions/0003).
          findDamage: () => verifyBuildFolder(folder, { signal }),
          keys: new KeyFolder(options),
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
        const releases = await client().releases.list({}, { signal }).all();
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
        const controller = client();
        const release = await controller.call(endpoints.showRelease, { params }, { signal });
        const uses = await controller.call(endpoints.releaseUses, { params }, { signal });
        output.result({ ...release, uses }, releaseText);
      }),
    );
}

function releaseText({ manifest, publishedAt, uses }: Release & { uses: readonly ReleaseUse[] }): string {
  const facts = factsText({
    release: releaseId(manifest),
    published: publishedAt,
    'kernel arguments': manifest.kernelArguments.join(' '),
    'stays because': uses.map(releaseUseText).join('; ') || 'of retention alone',
  });
  return `${facts}\n\n${artefactsText(manifest)}`;
}
