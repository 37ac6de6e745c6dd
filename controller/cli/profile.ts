import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type Client, endpoints, InstallerProfile } from '@bootswarm/controller/contract';
import type { Command } from 'commander';
import { LineCounter, parseDocument, stringify } from 'yaml';
import { fieldText, lineOf } from './apply.ts';
import { factsText, tableText } from './output.ts';
import { problem } from './problems.ts';
import { inSession } from './session.ts';

const EXAMPLE = `
A profile:
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
    .description("How machines are installed by a distribution's own installer.");

  profile
    .command('apply')
    .summary('add or change profiles as files say')
    .description('Adds or changes the profile of each file (YAML or JSON).')
    .argument('<file...>')
    .addHelpText('after', EXAMPLE)
    .action((files: string[], _options: unknown, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        // All are read before the first is applied: a slip in the last must not leave the first half done.
        const profiles = await Promise.all(files.map(readProfileFile));
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
        const profiles = await client().call(endpoints.listProfiles, {}, { signal });
        output.result(profiles, () =>
          tableText(
            ['PROFILE', 'KIND', 'RELEASE', 'VARIABLES'],
            profiles.map(({ name, kind, release, variables }) => [
              name,
              kind,
              release,
              Object.keys(variables).join(',') || '-',
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

/** @throws Problem file_not_yaml, profile_invalid: all that is wrong, each with its field. */
async function readProfileFile(file: string): Promise<InstallerProfile> {
  const lines = new LineCounter();
  const document = parseDocument(await readFile(file, 'utf8'), { lineCounter: lines, prettyErrors: false });
  const [mistake] = document.errors;
  if (mistake) {
    const { line, col } = lines.linePos(mistake.pos[0]);
    throw problem('file_not_yaml', { facts: { file, line, column: col, reason: mistake.message } });
  }
  const parsed = InstallerProfile.safeParse(await withAnswers(document.toJS(), file));
  if (parsed.success) return parsed.data;
  const list = parsed.error.issues.map(
    ({ path, message }) => `line ${lineOf(document, lines, path)}: ${fieldText(path)} ${message}`,
  );
  throw problem('profile_invalid', { facts: { file, list: list.join('\n  ') } });
}

/** The profile with its answers, which may lie in a file beside it. */
async function withAnswers(value: unknown, file: string): Promise<unknown> {
  if (typeof value !== 'object' || value === null || !('answersFile' in value)) return value;
  const { answersFile, ...rest } = value;
  if (typeof answersFile !== 'string' || 'answers' in rest) return value;
  return { ...rest, answers: await readFile(resolve(dirname(file), answersFile), 'utf8') };
}

interface Applied {
  readonly name: string;
  readonly what: 'added' | 'changed' | 'unchanged';
}

async function applyProfile(client: Client, body: InstallerProfile, signal: AbortSignal): Promise<Applied> {
  const { name } = body;
  const held = (await client.call(endpoints.listProfiles, {}, { signal })).find((each) => each.name === name);
  // Sent even when it is the same, so that the release is checked again.
  await client.call(endpoints.replaceProfile, { params: { name }, body }, { signal });
  return {
    name,
    what: held === undefined ? 'added' : isDeepStrictEqual(held, body) ? 'unchanged' : 'changed',
  };
}

function profileText({ name, kind, release, variables, kernelArguments, answers }: InstallerProfile): string {
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
