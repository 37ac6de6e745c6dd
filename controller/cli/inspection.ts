import {
  type Client,
  endpoints,
  inspectionChanges,
  type KeptInspection,
  previewDisks,
} from '@bootswarm/controller/contract';
import { channelId, findArtefact, isChannelId } from '@bootswarm/images/format';
import type { Command } from 'commander';
import { ageText, changesText, inspectionText } from './inspection-text.ts';
import { problem } from './problems.ts';
import { parseReference, parseRelease } from './references.ts';
import { inSession } from './session.ts';

/** `machine inspection` and `machine plan`: what an agent found, and what a profile would do about it. */
export function addInspection(machine: Command): void {
  machine
    .command('inspection')
    .summary('show what the agent found out about a machine')
    .description('Shows the last inspection of a machine, or what changed since the one before.')
    .argument('<machine>', 'id, name, UUID or MAC')
    .option('--number <n>', 'an older one, as the list below it numbers them')
    .option('--diff', 'what is not as it was in the inspection before')
    .addHelpText('after', '\nExample:\n  bootswarm machine inspection 52:54:00:12:34:56 --diff')
    .action((key: string, options: { number?: string; diff?: true }, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const params = { machine: key };
        const kept = await client().call(endpoints.listInspections, { params }, { signal });
        const number = options.number === undefined ? kept.at(-1)?.number : numberOf(options.number);
        const shown = await inspectionOf(client(), key, number, signal);
        if (!options.diff) return output.result(shown, (each) => inspectionText(each, kept, new Date()));
        const before = kept.findLast((each) => each.number < shown.number);
        if (!before) throw noInspection(key, `before ${shown.number}`);
        const old = await inspectionOf(client(), key, before.number, signal);
        const changes = inspectionChanges(old.inspection, shown.inspection);
        output.result({ before: old.number, after: shown.number, changes }, () =>
          changesText(old, shown, changes),
        );
      }),
    );

  machine
    .command('plan')
    .summary('show what installing by a profile would do to the disks')
    .description(
      'Shows what a profile of kind image would do to the disks of a machine as it was inspected last. Nothing is changed.',
    )
    .argument('<machine>', 'id, name, UUID or MAC')
    .argument('<profile>')
    .option('--release <release>', "in the place of the profile's")
    .addHelpText('after', '\nExample:\n  bootswarm machine plan 52:54:00:12:34:56 web')
    .action((key: string, name: string, options: { release?: string }, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const params = { machine: key };
        const profile = await client().call(endpoints.showProfile, { params: { name } }, { signal });
        if (profile.kind !== 'image')
          throw problem('argument_invalid', {
            field: 'profile',
            facts: { text: name, reason: `is of kind ${profile.kind}, whose own installer plans the disks` },
          });
        const release = options.release === undefined ? profile.release : parseReference(options.release);
        const found = await client().call(endpoints.showMachine, { params }, { signal });
        const kept = await client().call(endpoints.listInspections, { params }, { signal });
        const shown = await inspectionOf(client(), key, kept.at(-1)?.number, signal);
        const identity = `${found.id} ${(found.epoch ?? 0) + 1}`;
        const image = await imageOf(client(), release, signal);
        const preview = previewDisks(shown.inspection, profile, identity, image);
        const { number, inspection } = shown;
        const { text, ...rest } = preview;
        const result = {
          machine: found.id,
          profile: name,
          release,
          number,
          takenAt: inspection.takenAt,
          ...rest,
        };
        output.result(result, () =>
          [
            `Install ${release} on ${found.id} by profile ${name}, as inspection ${number} found it ${ageText(inspection.takenAt, new Date())} ago:`,
            '',
            text,
          ].join('\n'),
        );
        if ('refusal' in preview) process.exitCode = 1;
      }),
    );
}

/** Of a release, or of the one that a channel points to. */
async function imageOf(
  client: Client,
  reference: string,
  signal: AbortSignal,
): Promise<Parameters<typeof previewDisks>[3]> {
  const pointers = isChannelId(reference) ? await client.call(endpoints.listChannels, {}, { signal }) : [];
  const pointer = pointers.find((each) => channelId(each) === reference);
  const params = pointer ?? parseRelease(reference);
  const { manifest } = await client.call(endpoints.showRelease, { params }, { signal });
  const root = findArtefact(manifest, 'root');
  return { rootBytes: root?.length ?? 0, isDisk: !root };
}

async function inspectionOf(
  client: Client,
  machine: string,
  number: number | undefined,
  signal: AbortSignal,
): Promise<KeptInspection> {
  if (number === undefined) throw noInspection(machine, 'yet');
  return client.call(endpoints.showInspection, { params: { machine, number } }, { signal });
}

/** @throws Problem argument_invalid */
function numberOf(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw problem('argument_invalid', {
    field: 'number',
    facts: { text, reason: 'is no number of an inspection' },
  });
}

function noInspection(machine: string, which: string): Error {
  return problem('inspection_none', { facts: { machine, which } });
}
