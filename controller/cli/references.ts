import type { AddressRange, Intent } from '@bootswarm/controller/contract';
import { Architecture, type Manifest, ReleaseName, ReleaseVersion } from '@bootswarm/images/format';
import { z } from 'zod';
import { problem } from './problems.ts';

/** How operators write releases, pools and intents on the command line. */

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

/** `FIRST-LAST`. The addresses themselves are checked by the contract. @throws Problem argument_invalid */
export function parsePool(text: string): AddressRange {
  const [first, last, ...rest] = text.split('-').map((part) => part.trim());
  if (first && last && rest.length === 0) return { first, last };
  throw problem('argument_invalid', {
    field: 'pool',
    facts: { text, reason: 'is no pool FIRST-LAST such as 10.1.2.100-10.1.2.199' },
  });
}

/** `local`, `menu` or `live RELEASE`. @throws Problem argument_invalid */
export function parseIntent(kind: string, release: string | undefined): Intent {
  if ((kind === 'local' || kind === 'menu') && release === undefined) return { kind };
  if (kind === 'live' && release !== undefined) {
    const { name, version, architecture } = parseRelease(release);
    return { kind, release: `${name}/${version}/${architecture}` };
  }
  throw problem('argument_invalid', {
    field: 'intent',
    facts: {
      text: [kind, release].filter(Boolean).join(' '),
      reason: "is none of 'local', 'menu' and 'live RELEASE'",
    },
  });
}
