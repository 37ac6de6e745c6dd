/**
 * `npm run check` (fast: types, format, lint, dead code, unit tests, arrows) and `npm test` (all: the same,
 * and then what needs a network lab). Stops at the first that fails.
 */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';

/** A machine takes 1 to 2 GiB, and a root that is built another: this fits into 10 GiB. One of three mostly waits. */
const BOOTS_AT_ONCE = 3;
/** Node's own choice leaves one of two cores idle, and so do files that wait for a time to pass. */
const UNITS_AT_ONCE = availableParallelism() + 1;

const top = fileURLToPath(new URL('../..', import.meta.url));
const bin = (name: string): string => `${top}node_modules/.bin/${name}`;

const LIGHT = '{controller,edge-node,images,ipxe,deploy,test/{architecture,bench,fleet}}';
/** These wait for what is late or never comes, and measure nothing. */
const PATIENT = [
  'test/faults/clock.test.ts',
  'test/faults/swarm-outages.test.ts',
  'test/faults/edges.test.ts',
  'test/faults/trust.test.ts',
  'test/fleet/fleet.test.ts',
  'test/interop/dhcp-clients.test.ts',
  'test/interop/dhcp-policy.test.ts',
  'test/interop/power.test.ts',
  'test/interop/secure-boot.test.ts',
  'test/interop/swarm-matrix.test.ts',
  'test/interop/torrent-clients.test.ts',
  'test/interop/trace.test.ts',
];
/** Beside the code; they need no root, no network and no Debian package. */
const unitTests = testsOf(LIGHT).filter((file) => !PATIENT.includes(file));
/** Real relays and clients, and what must be answered in time: a file at a time has the host to itself. */
const labTests = testsOf('test/{lab,interop,faults}').filter((file) => !PATIENT.includes(file));
/** These take longest: begun first, so that none is left alone at the end. */
const LONG = ['install-faults', 'image-rebuild', 'agent', 'boot', 'installer', 'work', 'import'].map(
  (name) => `test/boot/${name}.test.ts`,
);
/**
 * Machines that are built and booted: each keeps one core busy for minutes, and none is in a hurry. Who mostly waits
 * runs beside them.
 */
const bootTests = inTurn([...new Set([...LONG, ...testsOf('test/boot')])], PATIENT);

function testsOf(folders: string): readonly string[] {
  const exclude = (path: string): boolean => path === 'node_modules';
  return globSync(`${folders}/**/*.test.ts`, { cwd: top, exclude });
}

/** One of each, as long as there are any. */
function inTurn(some: readonly string[], others: readonly string[]): readonly string[] {
  const turns = Math.max(some.length, others.length);
  return Array.from({ length: turns }, (_, turn) => [some[turn], others[turn]])
    .flat()
    .filter((file) => file !== undefined);
}

const nodeTest = (files: readonly string[], ...flags: string[]): readonly string[] => [
  process.execPath,
  '--test',
  ...flags,
  ...files,
];

const fast: readonly (readonly string[])[] = [
  [process.execPath, bin('tsc')],
  [process.execPath, bin('biome'), 'ci', '--log-level=warn', '--error-on-warnings'],
  [process.execPath, bin('knip')],
  nodeTest(unitTests, `--test-concurrency=${UNITS_AT_ONCE}`),
];
const all = [
  ...fast,
  nodeTest(labTests, '--test-concurrency=1'),
  [process.execPath, `${top}deploy/bootstrap/run-in-order.ts`, String(BOOTS_AT_ONCE), ...bootTests],
];

for (const [program = '', ...args] of process.argv[2] === 'all' ? all : fast) {
  const started = Date.now();
  const done = spawnSync(program, args, { cwd: top, stdio: 'inherit' });
  const name = args.slice(0, 2).join(' ').replaceAll(top, '');
  if (done.status !== 0) {
    process.stderr.write(`bootswarm: failed: ${name}\n`);
    process.exit(done.status ?? 1);
  }
  process.stderr.write(`bootswarm: passed in ${((Date.now() - started) / 1000).toFixed(1)} s: ${name}\n`);
}
