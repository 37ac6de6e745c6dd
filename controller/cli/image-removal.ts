import { type Client, endpoints, type Garbage } from '@bootswarm/controller/contract';
import { releaseId } from '@bootswarm/images/format';
import { releasePath } from '@bootswarm/images/trust';
import type { Command } from 'commander';
import { bytesText, tableText } from './output.ts';
import { parseRelease } from './references.ts';
import { inSession } from './session.ts';
import { KeyFolder, type KeyOptions, keysOption } from './signing/key-folder.ts';
import { signTargets } from './signing/operator-trust.ts';

/** Releases that one call may remove: as many as the contract allows. */
const MOST_AT_ONCE = 1000;

/** `image remove` and `image gc`. Both need the key that signed the releases: the controller cannot do it alone. */
export function addRemoval(image: Command): void {
  image
    .command('remove')
    .summary('remove a release that nothing needs')
    .description(
      'Removes a release. Refused while a channel, a machine, a segment, a menu or a pin names it. Its version never comes back with other contents.',
    )
    .argument('<release>', 'NAME/VERSION/ARCHITECTURE')
    .addOption(keysOption())
    .action((text: string, options: KeyOptions, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const params = parseRelease(text);
        const controller = client();
        await controller.call(endpoints.showRelease, { params }, { signal });
        const release = releaseId(params);
        await removeReleases(controller, new KeyFolder(options), [release], signal);
        output.result(
          { release },
          () => `Removed ${release}. Its bytes go with 'bootswarm image gc', or by themselves within a day.`,
        );
      }),
    );

  image
    .command('gc')
    .summary('remove what nobody needs any more')
    .description(
      "Removes releases that are beyond retention and that nothing names, artefacts that no release names, and uploads that broke off a day ago. The controller does all of it by itself each day but the releases, which need the operator's key.",
    )
    .option('--dry-run', 'tell what would be removed')
    .addOption(keysOption())
    .action((options: KeyOptions & { readonly dryRun?: true }, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const controller = client();
        const found = await controller.call(endpoints.showGarbage, {}, { signal });
        if (options.dryRun) {
          output.result(found, () => garbageText(found, 'Would remove'));
          return;
        }
        const due = found.releases.map(({ release }) => release);
        for (let at = 0; at < due.length; at += MOST_AT_ONCE)
          await removeReleases(controller, new KeyFolder(options), due.slice(at, at + MOST_AT_ONCE), signal);
        const collected = await controller.call(endpoints.collectGarbage, {}, { signal });
        const removed = { ...collected, releases: found.releases };
        output.result(removed, () => garbageText(removed, 'Removed'));
      }),
    );
}

async function removeReleases(
  client: Client,
  keys: KeyFolder,
  releases: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  await signTargets(
    { client, keys, signal },
    () => ({ remove: releases.map(releasePath) }),
    (targets) =>
      client.call(endpoints.removeReleases, { body: { releases: [...releases], targets } }, { signal }),
  );
}

function garbageText({ releases, artefacts, uploads }: Garbage, verb: string): string {
  const bytes = [...artefacts, ...uploads].reduce((sum, each) => sum + each.bytes, 0);
  const lines = [
    ...(releases.length === 0
      ? []
      : [
          tableText(
            ['RELEASE', 'PUBLISHED'],
            releases.map((each) => [each.release, each.publishedAt]),
          ),
        ]),
    `${verb} ${releases.length} releases, ${artefacts.length} artefacts and ${uploads.length} broken uploads: ${bytesText(bytes)}`,
  ];
  return lines.join('\n\n');
}
