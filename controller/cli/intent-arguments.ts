import { readFile } from 'node:fs/promises';
import { Intent, Name } from '@bootswarm/controller/contract';
import { problem } from './problems.ts';
import { parseReference } from './references.ts';

/** Beside the intent itself; each belongs to one kind. */
export interface IntentOptions {
  /** Of `live`. */
  readonly byAgent?: true;
  /** Of `install`. */
  readonly release?: string;
  /** Of `wipe`: serial numbers or WWNs. */
  readonly disk?: readonly string[];
  readonly all?: true;
  readonly method?: string;
  /** Of `rescue`: files of public keys. */
  readonly sshKey?: readonly string[];
}

const KINDS =
  "'local', 'menu', 'inspect', 'live RELEASE', 'install PROFILE', 'installer PROFILE', 'wipe' and 'rescue'";
const OPTIONS_OF: Readonly<Record<string, readonly (keyof IntentOptions)[]>> = {
  live: ['byAgent'],
  install: ['release'],
  wipe: ['disk', 'all', 'method'],
  rescue: ['sshKey'],
};

/** Whether `machine boot` leaves it to assignments what is installed. A release belongs to a profile that is named. */
export function isAssignedInstall(kind: string, what: string | undefined, options: IntentOptions): boolean {
  return kind === 'install' && what === undefined && Object.keys(options).length === 0;
}

/** What `machine boot` is to set. @throws Problem argument_invalid, and what the file system says of a key file. */
export async function intentOf(
  kind: string,
  what: string | undefined,
  options: IntentOptions,
): Promise<Intent> {
  const foreign = (Object.keys(options) as (keyof IntentOptions)[]).find(
    (option) => !(OPTIONS_OF[kind] ?? []).includes(option),
  );
  if (foreign !== undefined)
    throw invalid(foreign, [kind, what].filter(Boolean).join(' '), `takes no ${optionText(foreign)}`);
  switch (kind) {
    case 'local':
    case 'menu':
    case 'inspect':
      if (what === undefined) return { kind };
      break;
    case 'live':
      if (what !== undefined)
        return { kind, release: parseReference(what), ...(options.byAgent ? { by: 'agent' } : {}) };
      break;
    case 'installer':
      if (what !== undefined) return { kind, profile: profileOf(what) };
      break;
    case 'install': {
      const { release } = options;
      if (what === undefined)
        throw invalid('profile', kind, 'needs a profile beside --release: install PROFILE');
      const own = release === undefined ? {} : { release: parseReference(release) };
      return { kind, profile: profileOf(what), ...own };
    }
    case 'wipe':
      if (what === undefined) return wipeOf(options);
      break;
    case 'rescue':
      if (what === undefined) return rescueOf(options);
      break;
  }
  throw invalid('intent', [kind, what].filter(Boolean).join(' '), `is none of ${KINDS}`);
}

function profileOf(text: string): string {
  const profile = Name.safeParse(text);
  if (profile.success) return profile.data;
  throw invalid('profile', text, `is no profile: it ${profile.error.issues[0]?.message}`);
}

/** Nothing is wiped that was not named. */
function wipeOf({ disk, all, method }: IntentOptions): Intent {
  if ((disk === undefined) === (all === undefined))
    throw invalid('disk', 'wipe', 'needs either --disk SERIAL or --all');
  return checked('wipe', {
    kind: 'wipe',
    disks: disk ?? 'all',
    ...(method === undefined ? {} : { method }),
  });
}

async function rescueOf({ sshKey }: IntentOptions): Promise<Intent> {
  if (sshKey === undefined) throw invalid('sshKey', 'rescue', 'needs --ssh-key FILE, of a public key');
  const files = await Promise.all(sshKey.map((file) => readFile(file, 'utf8')));
  const sshKeys = files
    .flatMap((text) => text.split('\n'))
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  return checked('rescue', { kind: 'rescue', sshKeys });
}

function checked(text: string, value: unknown): Intent {
  const parsed = Intent.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw invalid(
    String(issue?.path[0] ?? 'intent'),
    text,
    `has a ${issue?.path.join('.')} that ${issue?.message}`,
  );
}

function optionText(option: keyof IntentOptions): string {
  return `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function invalid(field: string, text: string, reason: string): Error {
  return problem('argument_invalid', { field, facts: { text, reason } });
}
