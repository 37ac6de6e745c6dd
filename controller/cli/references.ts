import type { AddressRange } from '@bootswarm/controller/contract';
import {
  Architecture,
  ChannelName,
  channelId,
  isChannelId,
  type Manifest,
  ReleaseName,
  ReleaseVersion,
  releaseId,
} from '@bootswarm/images/format';
import { z } from 'zod';
import { problem } from './problems.ts';

/** How operators write releases, channels and pools on the command line. */

const ReleaseParts = z.object({ name: ReleaseName, version: ReleaseVersion, architecture: Architecture });

/** `NAME/VERSION[/ARCHITECTURE]`; amd64 where none is given. @throws Problem argument_invalid */
export function parseRelease(text: string): Pick<Manifest, 'name' | 'version' | 'architecture'> {
  const [name, version, architecture = 'amd64', ...rest] = text.split('/');
  const parsed = ReleaseParts.safeParse({ name, version, architecture });
  if (parsed.success && rest.length === 0) return parsed.data;
  const issue = parsed.error?.issues[0];
  const reason = issue
    ? `is no release NAME/VERSION/ARCHITECTURE: its ${String(issue.path[0])} ${issue.message}`
    : 'is no release NAME/VERSION/ARCHITECTURE';
  throw problem('argument_invalid', { field: 'release', facts: { text, reason } });
}

const ChannelParts = z.object({ name: ReleaseName, channel: ChannelName, architecture: Architecture });

/** `NAME/@CHANNEL[/ARCHITECTURE]` or `NAME CHANNEL`; amd64 where none is given. @throws Problem argument_invalid */
export function parseChannel(
  name: string,
  channel: string,
  architecture = 'amd64',
): z.infer<typeof ChannelParts> {
  const parsed = ChannelParts.safeParse({ name, channel: channel.replace(/^@/, ''), architecture });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw problem('argument_invalid', {
    field: 'channel',
    facts: {
      text: `${name}/@${channel}/${architecture}`,
      reason: `is no channel NAME/@CHANNEL/ARCHITECTURE: its ${String(issue?.path[0])} ${issue?.message}`,
    },
  });
}

/** A release or a channel, as an intent names it. @throws Problem argument_invalid */
export function parseReference(text: string): string {
  if (!isChannelId(text)) return releaseId(parseRelease(text));
  const [name = '', channel = '', ...architecture] = text.split('/');
  return channelId(parseChannel(name, channel, architecture.join('/') || undefined));
}

/** `FIRST-LAST`. The addresses themselves are checked by the contract. @throws Problem argument_invalid */
export function parsePool(text: string): AddressRange {
  const [first, last, ...rest] = text.split('-').map((part) => part.trim());
  if (first && last && rest.length === 0) return { first, last };
  throw problem('argument_invalid', {
    field: 'pool',
    facts: { text, reason: 'is no pool FIRST-LAST such as 10.1.2.100-10.1.2.199' },
  });
}
