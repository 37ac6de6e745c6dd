import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, endpoints, type FleetWork, workOutlooks } from '@bootswarm/controller/contract';
import { MultiBar, type SingleBar } from 'cli-progress';
import type { Command } from 'commander';
import { bytesText, type Output, tableText } from './output.ts';
import { inSession } from './session.ts';

const LOOK_MS = 1_000;

export function addMachineWork(machine: Command): void {
  machine
    .command('work')
    .summary('what machines are at, and of whom they fetch')
    .description(
      'What machines are at now: how far they are, where their bytes came from, and how long it will take them.',
    )
    .option('--follow', 'go on until Ctrl-C, in a terminal with a bar for each machine')
    .action(({ follow }: { readonly follow?: true }, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        if (follow) return followWork(client(), output, signal);
        const work = await client().call(endpoints.showWork, {}, { signal });
        output.result(work, workText);
      }),
    );
}

async function followWork(client: Client, output: Output, signal: AbortSignal): Promise<void> {
  const show = output.json ? tellJson(output) : process.stdout.isTTY ? drawBars(signal) : tellLines();
  while (!signal.aborted) {
    const work = await client.call(endpoints.showWork, {}, { signal }).catch((error: unknown) => {
      // Ctrl-C is how a person ends what follows: no error.
      if (!signal.aborted) throw error;
    });
    if (work) show(work);
    await sleep(LOOK_MS, undefined, { signal }).catch(() => {});
  }
}

export function workText(work: FleetWork): string {
  if (work.length === 0) return 'No machine is at anything that takes its time.';
  const outlooks = workOutlooks(work);
  return tableText(
    ['MACHINE', 'EDGE', 'STEP', 'DONE', 'RATE', 'NEIGHBOURS', 'FROM EDGE', 'HTTP', 'GIVEN', 'LEFT', 'NOTE'],
    work.map(({ mac, edge, progress }, at) => {
      const { step, swarm } = progress;
      return [
        ...[mac, edge, step, percentOf(progress)],
        ...(swarm
          ? [
              `${bytesText(swarm.downloadRate)}/s`,
              ...[swarm.fromNeighbours, swarm.fromEdge, swarm.fromHttp, swarm.given].map(bytesText),
            ]
          : ['', '', '', '', '']),
        leftText(outlooks[at]?.secondsLeft),
        noteOf(work[at], outlooks[at]?.isStraggler ?? false),
      ];
    }),
  );
}

type Work = FleetWork[number];

function fractionOf({ doneBytes, totalBytes }: Work['progress']): number | undefined {
  return doneBytes === undefined || totalBytes === undefined || totalBytes === 0
    ? undefined
    : Math.min(1, doneBytes / totalBytes);
}

function percentOf(progress: Work['progress']): string {
  const fraction = fractionOf(progress);
  return fraction === undefined ? '' : `${Math.floor(fraction * 100)} %`;
}

function leftText(seconds: number | undefined): string {
  if (seconds === undefined) return '';
  return Number.isFinite(seconds) ? `${Math.ceil(seconds)} s` : 'stands';
}

function noteOf(work: Work | undefined, isStraggler: boolean): string {
  const banned = work?.progress.swarm?.banned ?? [];
  return [
    ...(isStraggler ? ['straggler'] : []),
    ...(banned.length > 0 ? [`banned ${banned.join(', ')}`] : []),
  ].join('; ');
}

/** One line of JSON for each machine whenever something of it changes. */
function tellJson(output: Output): (work: FleetWork) => void {
  return whenChanged(
    (each) => JSON.stringify(each),
    (each) => output.result(each, () => ''),
  );
}

/** One line for each step of a machine, and each tenth of it. */
function tellLines(): (work: FleetWork) => void {
  const moment = ({ progress }: Work): string => {
    const fraction = fractionOf(progress);
    return fraction === undefined ? progress.step : `${progress.step} ${Math.floor(fraction * 10) * 10} %`;
  };
  return whenChanged(moment, (each) => process.stdout.write(`${each.mac} ${moment(each)}\n`));
}

function whenChanged(keyOf: (work: Work) => string, tell: (work: Work) => void): (work: FleetWork) => void {
  const last = new Map<string, string>();
  return (work) => {
    for (const each of work) {
      const key = keyOf(each);
      if (last.get(each.mac) !== key) tell(each);
      last.set(each.mac, key);
    }
  };
}

function drawBars(signal: AbortSignal): (work: FleetWork) => void {
  const bars = new MultiBar({
    format: '{mac} {step} [{bar}] {percentage}% {about}',
    stream: process.stdout,
    hideCursor: true,
    clearOnComplete: false,
  });
  signal.addEventListener('abort', () => bars.stop(), { once: true });
  const drawn = new Map<string, SingleBar>();
  return (work) => {
    const outlooks = workOutlooks(work);
    for (const [mac, bar] of drawn)
      if (!work.some((each) => each.mac === mac)) {
        bars.remove(bar);
        drawn.delete(mac);
      }
    for (const [at, each] of work.entries()) {
      const { mac, progress } = each;
      const done = Math.round((fractionOf(progress) ?? 0) * 1000);
      const { swarm } = progress;
      const rate = swarm ? `${bytesText(swarm.downloadRate)}/s of ${swarm.peers} peers` : '';
      const about = [
        rate,
        leftText(outlooks[at]?.secondsLeft),
        noteOf(each, outlooks[at]?.isStraggler ?? false),
      ];
      const payload = { mac, step: progress.step.padEnd(12), about: about.filter(Boolean).join(', ') };
      const bar = drawn.get(mac) ?? bars.create(1000, 0, payload);
      drawn.set(mac, bar);
      bar.update(done, payload);
    }
  };
}
