import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  Client,
  endpoints,
  isPowerBusy,
  type Machine,
  type PowerOrder,
} from '@bootswarm/controller/contract';

const MAC = '52:54:00:00:00:01';
/** ipmi_sim's file has no blanks in a password, and IPMI 20 bytes at most. */
const PASSWORD = 'correct-horse';
/** Milliseconds into a cycle at which its controller is killed; more of them take minutes. */
const KILLED_AFTER_MS =
  process.env['BOOTSWARM_TEST'] === 'all' ? [0, 60, 120, 240, 480, 960, 1920] : [0, 240];
/** Of setpriv: whoever ends this process, however. */
const DIES_WITH_US = ['--pdeathsig', 'KILL', '--'];
const main = fileURLToPath(new URL('../../controller/server/main.ts', import.meta.url));

/** OpenIPMI's ipmi_sim: a BMC that is none of ours, with a machine behind it that is a folder of files. */
class SimulatedBmc {
  readonly #folder: string;
  readonly #child: ChildProcess;

  private constructor(folder: string, child: ChildProcess) {
    this.#folder = folder;
    this.#child = child;
  }

  static async start(folder: string, port: number): Promise<SimulatedBmc> {
    mkdirSync(join(folder, 'state'), { recursive: true });
    const chassis = join(folder, 'chassis');
    // ipmi_sim asks `get NAME` for `NAME:VALUE`, and says `set NAME VALUE`.
    writeFileSync(
      chassis,
      `#!/bin/sh\ncd ${folder}\nif [ "$1" = get ]; then\n  if [ "$2" = boot ]; then d=none; else d=0; fi\n  v=$(cat "$2" 2>/dev/null || echo $d)\n  echo "$2:$v"\nelse\n  echo "$2 $3" >> acts\n  echo "$3" > "$2"\nfi\n`,
      { mode: 0o755 },
    );
    writeFileSync(
      join(folder, 'lan.conf'),
      [
        'name "bmc1"',
        'set_working_mc 0x20',
        'startlan 1',
        `addr 127.0.0.1 ${port}`,
        'priv_limit admin',
        // ipmi_sim offers IPMI 2.0 where there are these and a user 1.
        ...['callback', 'user', 'operator', 'admin'].map(
          (level) => `allowed_auths_${level} none md2 md5 straight`,
        ),
        'guid a123456789abcdefa123456789abcdef',
        'endlan',
        `chassis_control "${chassis}"`,
        'user 1 true "" "nobody" user 10 none md2 md5 straight',
        `user 2 true "operator" "${PASSWORD}" admin 10 none md2 md5 straight`,
        '',
      ].join('\n'),
    );
    const commands = [
      'mc_setbmc 0x20',
      'mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02',
      'mc_enable 0x20',
      '',
    ];
    writeFileSync(join(folder, 'sim.emu'), commands.join('\n'));
    const files = [
      '-c',
      join(folder, 'lan.conf'),
      '-f',
      join(folder, 'sim.emu'),
      '-s',
      join(folder, 'state'),
    ];
    const child = spawn('setpriv', [...DIES_WITH_US, 'ipmi_sim', ...files, '-n'], { stdio: 'ignore' });
    await once(child, 'spawn');
    return new SimulatedBmc(folder, child);
  }

  /** What the machine was made to do, such as `power 1`. */
  get acts(): readonly string[] {
    try {
      return readFileSync(join(this.#folder, 'acts'), 'utf8').trimEnd().split('\n');
    } catch {
      return [];
    }
  }

  forget(): void {
    rmSync(join(this.#folder, 'acts'), { force: true });
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGKILL');
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit');
  }
}

/** The controller as a process of its own, which may be killed. */
class Controller {
  readonly client: Client;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, client: Client) {
    this.#child = child;
    this.client = client;
  }

  static async start(data: string, token?: string): Promise<{ controller: Controller; token: string }> {
    const where = ['--data', data, '--address', '127.0.0.1', '--port', '0', '--swarm-port', '0'];
    const command = [process.execPath, main, ...where, '--bmc-network', '127.0.0.0/8'];
    const child = spawn('setpriv', [...DIES_WITH_US, ...command], { stdio: ['ignore', 'pipe', 'inherit'] });
    let given = token ?? '';
    for await (const line of createInterface({ input: child.stdout })) {
      const said = JSON.parse(line) as { operatorToken?: string; port?: number; msg: string };
      given = said.operatorToken ?? given;
      if (said.msg !== 'controller is up') continue;
      const client = new Client({ url: `http://127.0.0.1:${said.port}`, token: given });
      child.stdout.resume();
      return { controller: new Controller(child, client), token: given };
    }
    throw new Error('the controller did not start');
  }

  order(body: PowerOrder): Promise<Machine> {
    return this.client.call(endpoints.orderPower, { params: { machine: MAC }, body });
  }

  /** The power once the action is over as far as the BMC goes. */
  async end(): Promise<Machine['power']> {
    for (let after = 0; ; ) {
      const query = { after, waitSeconds: 30 };
      const { power } = await this.client.call(endpoints.showPower, { params: { machine: MAC }, query });
      if (!isPowerBusy(power)) return power;
      after = power?.changes ?? 0;
    }
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit');
  }
}

describe('power by a real IPMI simulator', { timeout: 600_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'bootswarm-power-'));
  let port: number;
  let bmc: SimulatedBmc;
  let controller: Controller;
  let token: string;

  const setBmc = (changes: { readonly cipherSuite?: 17; readonly user?: string } = {}) =>
    controller.client.call(endpoints.setBmc, {
      params: { machine: MAC },
      body: { kind: 'ipmi', address: '127.0.0.1', port, user: 'operator', secret: 'bmc', ...changes },
    });
  const setSecret = (value: string) =>
    controller.client.call(endpoints.setSecret, { params: { name: 'bmc' }, body: { value } });

  before(async () => {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    port = socket.address().port;
    socket.close();
    bmc = await SimulatedBmc.start(join(folder, 'bmc'), port);
    ({ controller, token } = await Controller.start(join(folder, 'data')));
    await setSecret(PASSWORD);
    await setBmc();
  });

  after(async () => {
    await controller?.kill();
    await bmc?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test('a machine is turned on and off, and is where it should be', async () => {
    for (const [action, seen, acts] of [
      ['status', 'off', []],
      ['on', 'on', ['power 1']],
      ['on', 'on', []],
      ['reset', 'on', ['reset 1']],
      ['cycle', 'on', ['power 0', 'power 1']],
      ['off', 'off', ['power 0']],
    ] as const) {
      bmc.forget();
      await controller.order({ action });
      const power = await controller.end();
      assert.deepEqual(
        [power?.state, power?.seen, bmc.acts],
        ['done', seen, acts],
        `${action}: ${power?.cause?.message}`,
      );
    }
  });

  test('it boots from the network once: the override is set before the power is on', async () => {
    bmc.forget();
    await controller.order({ action: 'pxe' });
    const power = await controller.end();
    assert.deepEqual([power?.state, power?.seen], ['booting', 'on'], power?.cause?.message);
    assert.deepEqual(bmc.acts, ['boot pxe', 'power 1']);
  });

  test('a wrong password and an unknown user are refusals, by name', async () => {
    await setSecret('wrong');
    await controller.order({ action: 'status' });
    assert.match((await controller.end())?.cause?.message ?? '', /refused the status: the password is wrong/);
    await setSecret(PASSWORD);
    await setBmc({ user: 'nobody' });
    await controller.order({ action: 'status' });
    assert.match((await controller.end())?.cause?.message ?? '', /user is unknown/);
    await setBmc();
  });

  test('a controller that is killed in a cycle leaves the rest to the next one, and nothing is done twice', async () => {
    for (const delayMs of KILLED_AFTER_MS) {
      await controller.order({ action: 'on' });
      await controller.end();
      bmc.forget();
      await controller.order({ action: 'cycle' });
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      await controller.kill();
      ({ controller } = await Controller.start(join(folder, 'data'), token));
      const power = await controller.end();
      assert.deepEqual([power?.state, power?.seen, bmc.acts], ['done', 'on', ['power 0', 'power 1']]);
    }
  });

  test('a BMC that is gone is silent', async () => {
    await bmc.stop();
    await controller.order({ action: 'status' });
    assert.equal((await controller.end())?.cause?.code, 'bmc_silent');
  });
});
