/**
 * `npm run bench -- NAME [--json FILE] [--rounds N] [--case NAME]... [--against PEER]...`: ours and its peers,
 * interleaved, and the ratios of their medians.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type Bench, type BenchResult, casesNamed, measured, OURS, summarise } from './bench.ts';
import { bootBench } from './boot.ts';
import { controllerBench } from './controller.ts';
import { deltaBench } from './delta.ts';
import { dhcpBench } from './dhcp.ts';
import { growthBench } from './growth.ts';
import { httpBench } from './http.ts';
import { imageBuildBench } from './image-build.ts';
import { installBench } from './install.ts';
import { miniBench } from './mini.ts';
import { publishBench } from './publish.ts';
import { rolloutBench } from './rollout.ts';
import { swarmEdgesBench } from './swarm-edges.ts';
import { swarmFleetBench } from './swarm-fleet.ts';
import { swarmWireBench } from './swarm-wire.ts';
import { tftpBench } from './tftp.ts';
import { trackerBench } from './tracker.ts';

const BENCHES: readonly Bench[] = [
  bootBench,
  controllerBench,
  growthBench,
  deltaBench,
  dhcpBench,
  httpBench,
  imageBuildBench,
  installBench,
  miniBench,
  tftpBench,
  publishBench,
  rolloutBench,
  swarmEdgesBench,
  swarmFleetBench,
  swarmWireBench,
  trackerBench,
];
const FEWEST_ROUNDS = 3;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'string' },
    rounds: { type: 'string', default: String(FEWEST_ROUNDS) },
    case: { type: 'string', multiple: true, default: [] },
    against: { type: 'string', multiple: true, default: [] },
  },
});
const bench = BENCHES.find(({ name }) => name === positionals[0]);
const rounds = Number(options.rounds);
if (!bench || !Number.isInteger(rounds) || rounds < FEWEST_ROUNDS) {
  const list = BENCHES.map(({ name, summary }) => `  ${name.padEnd(8)} ${summary}`);
  process.stderr.write(
    `Usage: npm run bench -- NAME [--json FILE] [--rounds N, at least ${FEWEST_ROUNDS}] [--case NAME]... [--against PEER]...\n${list.join('\n')}\n`,
  );
  process.exitCode = 1;
} else {
  const result = await run(bench);
  process.stdout.write(textOf(result));
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(result, undefined, 2)}\n`);
}

async function run(bench: Bench): Promise<BenchResult> {
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  await using prepared = await bench.prepare(say);
  const cases = casesNamed(prepared.cases, options.case);
  const samples = [];
  for (let round = 1; round <= rounds; round++) {
    for (const { name, ...measures } of cases) {
      for await (const [subject, measurement] of measured({ name, ...measures }, options.against)) {
        samples.push({ case: name, subject, measurement });
        say(`round ${round}/${rounds}  ${name}  ${subject}  ${measurementText(measurement)}`);
      }
    }
  }
  return summarise(bench, samples);
}

function measurementText(measurement: Readonly<Record<string, number>>): string {
  return Object.entries(measurement)
    .map(([metric, value]) => `${metric}=${numberText(value)}`)
    .join('  ');
}

function textOf({ bench, rows, ratios }: BenchResult): string {
  const width = Math.max(...rows.map((row) => row.case.length + row.metric.length)) + 3;
  const lines = rows.map(
    (row) =>
      `${`${row.case}  ${row.metric}`.padEnd(width)} ${row.subject.padEnd(12)} ${numberText(row.value)}`,
  );
  const ratioLines = Object.entries(ratios).map(([name, ratio]) => `${name} = ${numberText(ratio)}`);
  return `${bench}: medians (${OURS} and peers)\n${lines.join('\n')}\n\n${ratioLines.join('\n')}\n`;
}

function numberText(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
