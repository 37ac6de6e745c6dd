import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { problem } from './problems.ts';

const Credentials = z.strictObject({ url: z.string(), token: z.string() });
export type Credentials = z.infer<typeof Credentials>;

type Environment = Readonly<Record<string, string | undefined>>;

/** BOOTSWARM_URL and BOOTSWARM_TOKEN win over what `login` kept. @throws Problem not_logged_in */
export function readCredentials(env: Environment, urlOption: string | undefined): Credentials {
  const kept = readKept(env);
  const url = urlOption ?? env['BOOTSWARM_URL'] ?? kept?.url;
  const token = env['BOOTSWARM_TOKEN'] ?? kept?.token;
  if (url === undefined || token === undefined) throw problem('not_logged_in');
  return { url, token };
}

/** @returns the file, readable by its owner alone. */
export function keepCredentials(env: Environment, credentials: Credentials): string {
  const file = fileOf(env);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(file, `${JSON.stringify(credentials, undefined, 2)}\n`, { mode: 0o600 });
  return file;
}

function readKept(env: Environment): Credentials | undefined {
  const file = fileOf(env);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return Credentials.parse(JSON.parse(text));
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    throw problem('credentials_unreadable', { facts: { file, reason }, cause: error });
  }
}

/** XDG Base Directory Specification. */
function fileOf(env: Environment): string {
  return join(env['XDG_CONFIG_HOME'] ?? join(homedir(), '.config'), 'bootswarm', 'credentials.json');
}
