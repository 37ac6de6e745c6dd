import { isDeepStrictEqual } from 'node:util';
import { type Client, endpoints, Profile } from '@bootswarm/controller/contract';
import type { Command } from 'commander';
import { stringify } from 'yaml';
import { factsText, tableText } from './output.ts';
import { readProfileFile } from './profile-file.ts';
import { inSession } from './session.ts';
import { look } from './while-unchanged.ts';

const EXAMPLE = `
A profile that installs an image, by 'machine boot MACHINE install web':
  name: web
  kind: image
  release: minimal/1.0/amd64
  layout:
    disks: [{ serial: S4EWNX0R123456 }]   # two of them mirror the root; wwn, model, byPath, minSize do as well
    root: { fileSystem: ext4, size: 20GiB }
    swap: 2GiB
    lvm: { volumes: [{ name: data, size: 100GiB, fileSystem: xfs, mount: /srv }] }
  variables: { rack: null }     # with them, if only {}, hostname and userData have holes as answers below
  firstBoot:
    hostname: web-{{ rack }}-{{ machine.id }}
    sshKeys: ['ssh-ed25519 AAAA... me']
    timezone: Europe/Berlin
  firstBootMinutes: 20

A profile that runs a distribution's installer, by 'machine boot MACHINE installer debian12':
  name: debian12
  release: debian-installer/12/amd64
  kind: preseed                 # or kickstart, autoinstall
  variables:                    # defaults; a machine's own take their place
    disk: /dev/sda
    password_hash: null         # each machine must have its own
  answersFile: debian12.cfg     # or answers: | and the text itself
  kernelArguments: [console=ttyS0]
In the answers, {{ disk }} and {{ machine.hostname }} are holes; a value that is more than one plain word needs a
filter: {{ password_hash | quote }} for a shell or kickstart, | yaml, | json, or | line for the rest of a line.`;

export function addProfile(program: Command): void {
  const profile = program
    .command('profile')
    .description("How machines are installed: an image by the agent, or by a distribution's own installer.");

  profile
    .command('apply')
    .summary('add or change profiles as files say')
    .description('Adds or changes the profile of each file (YAML or JSON).')
    .argument('<file...>')
    .addHelpText('after', EXAMPLE)
    .action((files: string[], _options: unknown, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        // All are read before the first is applied: a slip in the last must not leave the first half done.
        const profiles = await Promise.all(files.map((file) => readProfileFile(file, Profile)));
        const applied: Applied[] = [];
        for (const each of profiles) applied.push(await applyProfile(client(), each, signal));
        output.result(applied, () => applied.map(({ name, what }) => `profile ${name}: ${what}`).join('\n'));
      }),
    );

  profile
    .command('list')
    .description('List the profiles.')
    .action((_options: unknown, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const profiles = await client().profiles.list({}, { signal }).all();
        output.result(profiles, () =>
          tableText(
            ['PROFILE', 'KIND', 'RELEASE', 'VARIABLES'],
            profiles.map((each) => [
              each.name,
              each.kind,
              each.release,
              Object.keys(each.variables ?? {}).join(',') || '-',
            ]),
          ),
        );
      }),
    );

  profile
    .command('show')
    .description('Show a profile.')
    .argument('<name>')
    .option('--yaml', 'as apply takes it')
    .action((name: string, options: { yaml?: true }, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const found = await client().call(endpoints.showProfile, { params: { name } }, { signal });
        output.result(found, options.yaml ? (each) => stringify(each).trimEnd() : profileText);
      }),
    );

  profile
    .command('remove')
    .description('Remove a profile that no machine is to be installed by.')
    .argument('<name>')
    .action((name: string, _options: unknown, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        await client().call(endpoints.removeProfile, { params: { name } }, { signal });
        output.result({ removed: name }, () => `Removed profile ${name}`);
      }),
    );
}

interface Applied {
  readonly name: string;
  readonly what: 'added' | 'changed' | 'unchanged';
}

async function applyProfile(client: Client, body: Profile, signal: AbortSignal): Promise<Applied> {
  const { name } = body;
  const { held, headers } = await look(client, endpoints.showProfile, { params: { name } }, signal);
  // Sent even when it is the same, so that the release is checked again.
  await client.call(endpoints.replaceProfile, { params: { name }, body }, { signal, headers });
  return {
    name,
    what: held === undefined ? 'added' : isDeepStrictEqual(held, body) ? 'unchanged' : 'changed',
  };
}

function profileText(profile: Profile): string {
  // Everything in it says where something goes: as it is applied it is read most easily.
  if (profile.kind === 'image') return stringify(profile).trimEnd();
  const { name, kind, release, variables, kernelArguments, answers } = profile;
  const facts = factsText({
    profile: name,
    kind,
    release,
    'kernel arguments': kernelArguments.join(' ') || undefined,
  });
  const rows = Object.entries(variables).map(([variable, value]) => [variable, value ?? '(of each machine)']);
  const defaults = rows.length === 0 ? '' : `\n\n${tableText(['VARIABLE', 'DEFAULT'], rows)}`;
  return `${facts}${defaults}\n\n${answers.trimEnd()}`;
}
