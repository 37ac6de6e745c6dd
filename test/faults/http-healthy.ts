/**
 * A program: machines that boot as they should. Asks for each path in turn, `workers` at a time, each time over a
 * new connection, and prints a line of JSON: HealthyReport.
 *
 *     node http-healthy.ts '{"url":…,"paths":[…],"workers":…,"seconds":…}'
 */
import { Agent, request } from 'node:http';

export interface HealthyPlan {
  readonly url: string;
  readonly paths: readonly string[];
  readonly workers: number;
  readonly seconds: number;
}

export interface HealthyReport {
  readonly requests: number;
  readonly failed: number;
  /** From the start of the connection to the last byte. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}

async function run({ url, paths, workers, seconds }: HealthyPlan): Promise<HealthyReport> {
  const until = performance.now() + seconds * 1000;
  const times: number[] = [];
  let failed = 0;
  const work = async (): Promise<void> => {
    for (let n = 0; performance.now() < until; n++) {
      const startedAt = performance.now();
      if (!(await ask(url + paths[n % paths.length]))) failed += 1;
      times.push(performance.now() - startedAt);
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  times.sort((a, b) => a - b);
  const at = (share: number): number => times[Math.floor(times.length * share)] ?? Number.NaN;
  return { requests: times.length, failed, p50Ms: at(0.5), p99Ms: at(0.99) };
}

function ask(url: string): Promise<boolean> {
  const agent = new Agent({ keepAlive: false });
  return new Promise((resolve) => {
    const asked = request(url, { agent }, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode === 200));
      response.once('error', () => resolve(false));
    });
    asked.once('error', () => resolve(false));
    asked.end();
  });
}

if (import.meta.main)
  process.stdout.write(`${JSON.stringify(await run(JSON.parse(process.argv[2] ?? '') as HealthyPlan))}\n`);
