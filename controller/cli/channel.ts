import { problem as contractProblem, endpoints } from '@bootswarm/controller/contract';
import {
  Architecture,
  type ChannelId,
  type ChannelPointer,
  channelId,
  releaseId,
} from '@bootswarm/images/format';
import { channelPath, channelsIn, channelTarget, releasePath } from '@bootswarm/images/trust';
import type { Command } from 'commander';
import { factsText, tableText } from './output.ts';
import { parseChannel, parseRelease } from './references.ts';
import { inSession, type Session } from './session.ts';
import { pinned, promoted, rolledBack, unpinned } from './signing/channel-moves.ts';
import { KeyFolder, type KeyOptions, keysOption } from './signing/key-folder.ts';
import { signTargets, type TargetsEdit } from './signing/operator-trust.ts';

export function addChannel(program: Command): void {
  const channel = program
    .command('channel')
    .description(
      "Channels: signed pointers such as 'stable', which machines follow from release to release.",
    );
  addList(channel);
  addShow(channel);
  addPromote(channel);
  addMove(channel, 'rollback', 'Move a channel back to where it stood before.', rolledBack);
  addMove(channel, 'pin', 'Keep a channel where it is until it is unpinned.', pinned);
  addMove(channel, 'unpin', 'Let a channel move again.', unpinned);
  addRemove(channel);
}

function addList(channel: Command): void {
  channel
    .command('list')
    .description('List the channels and where they point to.')
    .action((_options: unknown, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const pointers = await client().call(endpoints.listChannels, {}, { signal });
        output.result(pointers, () =>
          tableText(
            ['CHANNEL', 'VERSION', 'BEFORE', 'MOVED', ''],
            pointers.map((pointer) => [
              channelId(pointer),
              pointer.version,
              pointer.previous ?? '',
              pointer.movedAt,
              pointer.pinned ? 'pinned' : '',
            ]),
          ),
        );
      }),
    );
}

function addShow(channel: Command): void {
  namedCommand(channel, 'show', 'Show where a channel points to.').action(
    (name: string, text: string, { architecture }: ChannelOptions, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const id = channelId(parseChannel(name, text, architecture));
        const pointers = await client().call(endpoints.listChannels, {}, { signal });
        const found = pointers.find((pointer) => channelId(pointer) === id);
        if (!found) throw unknownChannel(id);
        output.result(found, pointerText);
      }),
  );
}

function pointerText(pointer: ChannelPointer): string {
  return factsText({
    channel: channelId(pointer),
    release: releaseId(pointer),
    before: pointer.previous,
    moved: pointer.movedAt,
    pinned: pointer.pinned ? 'yes' : undefined,
  });
}

interface ChannelOptions extends KeyOptions {
  readonly architecture: string;
}

/** Of one channel, by its name and that of its series. */
function namedCommand(channel: Command, verb: string, description: string): Command {
  return channel
    .command(verb)
    .description(description)
    .argument('<name>', 'of the series of releases')
    .argument('<channel>', "such as 'stable'")
    .option('--architecture <architecture>', Architecture.options.join(' or '), 'amd64');
}

function addPromote(channel: Command): void {
  channel
    .command('promote')
    .description('Point a channel to a release. A channel that is not there is made.')
    .argument('<release>', 'NAME/VERSION/ARCHITECTURE')
    .argument('<channel>', "such as 'stable'")
    .addOption(keysOption())
    .action((release: string, text: string, options: KeyOptions, command: Command) =>
      inSession(command, (session) => {
        const parsed = parseRelease(release);
        const at = parseChannel(parsed.name, text, parsed.architecture);
        return moveChannel(session, options, channelId(at), (held) =>
          promoted(held, parsed, at.channel, new Date()),
        );
      }),
    );
}

function addMove(
  channel: Command,
  verb: string,
  description: string,
  move: (held: ChannelPointer, now: Date) => ChannelPointer | undefined,
): void {
  namedCommand(channel, verb, description)
    .addOption(keysOption())
    .action((name: string, text: string, options: ChannelOptions, command: Command) =>
      inSession(command, (session) => {
        const id = channelId(parseChannel(name, text, options.architecture));
        return moveChannel(session, options, id, (held) => {
          if (!held) throw unknownChannel(id);
          return move(held, new Date());
        });
      }),
    );
}

/** Signs where a channel goes. What does not move it says where it is. */
async function moveChannel(
  { output, signal, client }: Session,
  options: KeyOptions,
  id: ChannelId,
  move: (held: ChannelPointer | undefined) => ChannelPointer | undefined,
): Promise<void> {
  const [controller, keys] = [client(), new KeyFolder(options)];
  let pointer: ChannelPointer | undefined;
  const edit = (targets: Parameters<Parameters<typeof signTargets>[1]>[0]): TargetsEdit | undefined => {
    const held = channelsIn(targets).get(id);
    const next = move(held);
    pointer = next ?? held;
    if (!next) return undefined;
    // Looked at before anything is signed; the controller looks again.
    if (!targets.has(releasePath(releaseId(next))))
      throw contractProblem('channel_release_unknown', {
        facts: { channel: id, release: releaseId(next) },
      });
    return { add: [channelTarget(next)] };
  };
  await signTargets({ client: controller, keys, signal }, edit, (targets) =>
    controller.call(endpoints.moveChannels, { body: { targets } }, { signal }),
  );
  if (pointer) output.result(pointer, pointerText);
}

function addRemove(channel: Command): void {
  namedCommand(channel, 'remove', 'Remove a channel that nothing names. Its releases stay.')
    .addOption(keysOption())
    .action((name: string, text: string, options: ChannelOptions, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const id = channelId(parseChannel(name, text, options.architecture));
        const [controller, keys] = [client(), new KeyFolder(options)];
        await signTargets(
          { client: controller, keys, signal },
          (targets) => {
            if (!targets.has(channelPath(id))) throw unknownChannel(id);
            return { remove: [channelPath(id)] };
          },
          (targets) => controller.call(endpoints.moveChannels, { body: { targets } }, { signal }),
        );
        output.result({ removed: id }, () => `Removed ${id}`);
      }),
    );
}

function unknownChannel(id: ChannelId): Error {
  return contractProblem('channel_unknown', { facts: { channel: id } });
}
