/**
 * `power.ts SOCKET`: the power of played and emulated machines, for a controller whose BMCs are commands. It is told what to do by an
 * object on its standard input, and says how it went by its exit code: 0 done, 1 refused, 2 that it cannot do so.
 */
import { text } from 'node:stream/consumers';
import { type PowerCommand, switchPower } from './power-line.ts';

/** Their firmware tries the network first, so that there is nothing to override. */
const DEEDS: Readonly<Record<string, PowerCommand['do'] | 'nothing'>> = {
  status: 'status',
  on: 'on',
  off: 'off',
  reset: 'cycle',
  override: 'nothing',
};

const [, , socket = ''] = process.argv;
const { action = '', macs = [] } = JSON.parse(await text(process.stdin)) as {
  action?: string;
  macs?: readonly string[];
};
const deed = DEEDS[action];
if (deed === undefined) fail(2, `${action} is nothing that these machines can do`);
else if (deed !== 'nothing') {
  const [machine = ''] = macs;
  await switchPower(socket, { machine, do: deed }).then(
    ({ power }) => void process.stdout.write(`${power}\n`),
    (error: Error) => fail(1, error.message),
  );
}

function fail(code: number, reason: string): void {
  process.stderr.write(`${reason}\n`);
  process.exitCode = code;
}
