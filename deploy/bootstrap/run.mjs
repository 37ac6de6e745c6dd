#!/usr/bin/env node
// Starts a verb of verbs.mjs from a bare checkout: installs what is missing (and says so), then hands over
// to the Node 24 that npm brought along when the host's own is older.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { verbs } from './verbs.mjs';

const top = fileURLToPath(new URL('../..', import.meta.url));
const NEEDED_NODE = 24;

const [verbName = '', ...args] = process.argv.slice(2);
const verb = verbs[verbName];
if (!verb) fail(`there is no verb '${verbName}'`, `Use one of: ${Object.keys(verbs).join(', ')}.`);

installNodeModules();
installDebianPackages(verb.debian);
handOver();

function installNodeModules() {
  const stampFile = join(top, 'node_modules', '.bootswarm-lock');
  const stamp = createHash('sha256')
    .update(readFileSync(join(top, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return;
  say('installing the npm packages of package-lock.json');
  // npm says nothing on standard output, which may be a pipe that carries our JSON.
  const done = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: top,
    stdio: ['ignore', 2, 2],
  });
  if (done.status !== 0)
    fail(
      'npm ci failed',
      `Run 'npm ci' in ${top} and read its messages; the npm registry must be reachable.`,
    );
  mkdirSync(join(top, 'node_modules'), { recursive: true });
  writeFileSync(stampFile, stamp);
}

function installDebianPackages(wanted) {
  const missing = wanted.filter((name) => !isInstalled(name));
  if (missing.length === 0) return;
  const command = `apt-get install --no-install-recommends ${missing.join(' ')}`;
  if (process.getuid?.() !== 0)
    fail(`Debian packages are missing: ${missing.join(' ')}`, `As root, run: ${command}`);
  say(`installing Debian packages: ${missing.join(' ')}`);
  const options = {
    stdio: ['ignore', 'ignore', 2],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  };
  spawnSync('apt-get', ['update', '-qq'], options);
  const done = spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...missing], options);
  if (done.status !== 0) fail('apt-get install failed', `Run it by hand and read its messages: ${command}`);
}

function isInstalled(name) {
  const query = spawnSync('dpkg-query', ['-W', '-f', '${db:Status-Status}', name], { encoding: 'utf8' });
  return query.status === 0 && query.stdout === 'installed';
}

function handOver() {
  const child = spawn(nodeBinary(), [join(top, verb.program), ...(verb.args ?? []), ...args], {
    stdio: 'inherit',
  });
  // Ctrl-C reaches the child by the terminal as well; this serves those who signal the launcher alone.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 143);
  });
}

function nodeBinary() {
  const major = Number(process.versions.node.split('.')[0]);
  if (major >= NEEDED_NODE) return process.execPath;
  const carried = join(top, 'node_modules', `node-linux-${process.arch}`, 'bin', 'node');
  if (existsSync(carried)) return carried;
  return fail(
    `Node ${NEEDED_NODE} is needed and this is ${process.versions.node}, on ${process.platform}-${process.arch}`,
    `Install Node ${NEEDED_NODE} or later, or use Linux on x64 or arm64, where npm brings it along.`,
  );
}

function say(text) {
  process.stderr.write(`bootswarm: ${text}\n`);
}

function fail(what, remedy) {
  say(`${what}\n  what to do: ${remedy}`);
  process.exit(1);
}
