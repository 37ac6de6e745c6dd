import { type BmcOf, type PowerSeen, problem } from '@bootswarm/controller/contract';
import type { Driver, PowerCommand } from './driver.ts';
import { plainText } from './plain-text.ts';
import { type ProgramEnd, runProgram } from './run-program.ts';

/** Of RMCP+ (IPMI 2.0, 13.17). */
const PASSWORD_MOST_BYTES = 20;
/** Its own tries: a packet is waited for 2 s, twice; of a BMC that is gone it despairs after 11 s. */
const PATIENCE = ['-N', '2', '-R', '2'];
const TIMEOUT_MS = 20_000;

/** What ipmitool prints where a BMC took an order. Its exit code is no proof: it is 0 also where bootdev was refused. */
const TAKEN: Readonly<Record<PowerCommand, string>> = {
  on: 'Chassis Power Control: Up/On',
  off: 'Chassis Power Control: Down/Off',
  reset: 'Chassis Power Control: Reset',
};

/** What ipmitool (1.8.19) says of a BMC that answers, and lets nobody in. */
const REFUSALS: readonly (readonly [RegExp, string])[] = [
  [/RAKP 2 HMAC is invalid/, 'the password is wrong'],
  [/unauthorized name/, 'the user is unknown or may not log in'],
  [/Error in open session response message : ([\w ]+)/, 'it does not open a session'],
  [/does not support IPMI v2/, 'it does not offer IPMI 2.0'],
  [/insufficient privilege|privilege level/i, 'the user has too few rights'],
];

interface IpmiOptions {
  readonly bmc: BmcOf<'ipmi'>;
  /** That the address was found to stand for, and that is spoken to. */
  readonly ip: string;
  readonly password: string;
  readonly program?: string;
  readonly timeoutMs?: number;
}

/** IPMI 2.0 by Debian's ipmitool: a process for each call, no shell, the password in its environment alone. */
export class IpmiDriver implements Driver {
  readonly #options: Required<IpmiOptions>;

  /** @throws Problem bmc_secret_unfit */
  constructor(options: IpmiOptions) {
    this.#options = { program: 'ipmitool', timeoutMs: TIMEOUT_MS, ...options };
    const { secret } = options.bmc;
    if (Buffer.byteLength(options.password) > PASSWORD_MOST_BYTES) {
      const facts = { secret, kind: 'ipmi', reason: `it is longer than ${PASSWORD_MOST_BYTES} bytes` };
      throw problem('bmc_secret_unfit', { field: 'secret', facts });
    }
  }

  async status(signal: AbortSignal): Promise<PowerSeen> {
    const what = 'the status';
    const said = await this.#run(what, ['chassis', 'power', 'status'], signal);
    if (said === 'Chassis Power is on') return 'on';
    if (said === 'Chassis Power is off') return 'off';
    throw this.#garbage(what, said);
  }

  async order(order: PowerCommand, signal: AbortSignal): Promise<void> {
    await this.#expect(`power ${order}`, ['chassis', 'power', order], TAKEN[order], signal);
  }

  async bootFromNetworkOnce(signal: AbortSignal): Promise<void> {
    const options = this.#options.bmc.firmware === 'uefi' ? ['options=efiboot'] : [];
    const command = ['chassis', 'bootdev', 'pxe', ...options];
    await this.#expect('the boot override', command, 'Set Boot Device to pxe', signal);
  }

  insertMedia(): Promise<void> {
    return Promise.reject(this.#unable('virtual media'));
  }

  ejectMedia(): Promise<void> {
    return Promise.reject(this.#unable('virtual media'));
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  async #expect(what: string, command: readonly string[], taken: string, signal: AbortSignal): Promise<void> {
    const said = await this.#run(what, command, signal);
    if (said !== taken) throw this.#garbage(what, said);
  }

  /** @returns what it printed, where the BMC did it. */
  async #run(what: string, command: readonly string[], signal: AbortSignal): Promise<string> {
    const { bmc, ip, password, program, timeoutMs } = this.#options;
    const reach = ['-H', ip, '-p', String(bmc.port), '-U', bmc.user, '-E', '-C', String(bmc.cipherSuite)];
    const end = await runProgram({
      program,
      // -v tells apart who does not answer and who lets nobody in.
      arguments: ['-v', '-I', 'lanplus', ...reach, ...PATIENCE, ...command],
      env: { IPMI_PASSWORD: password },
      timeoutMs,
      signal,
    }).catch((error: Error) => {
      const reason = `ipmitool cannot be run (${error.message}); Debian's package ipmitool has it`;
      throw problem('bmc_unable', { facts: { kind: 'ipmi', what, reason }, cause: error });
    });
    signal.throwIfAborted();
    return this.#judge(what, end);
  }

  #judge(what: string, { code, stdout, stderr }: ProgramEnd): string {
    const { address } = this.#options.bmc;
    const refusal = REFUSALS.find(([pattern]) => pattern.test(stderr));
    if (refusal) throw problem('bmc_refused', { facts: { address, what, reason: refusal[1] } });
    const failed = /^(?:Set|Get) .* failed: (.*)$/m.exec(stderr + stdout);
    if (failed) {
      const reason = plainText(failed[1] ?? '');
      throw problem(/busy/i.test(reason) ? 'bmc_busy' : 'bmc_refused', { facts: { address, what, reason } });
    }
    if (code === 0) return answerOf(stdout);
    if (
      code === null ||
      /Unable to establish|Get Auth Capabilities error|timeout|Error issuing/i.test(stderr)
    )
      throw problem('bmc_silent', { facts: { address, what } });
    throw this.#garbage(what, stderr.split('\n').findLast((line) => line.trim() !== '') ?? '');
  }

  #garbage(what: string, said: string): Error {
    const reason = said === '' ? 'nothing' : plainText(said);
    return problem('bmc_garbage', { facts: { address: this.#options.bmc.address, what, reason } });
  }

  #unable(what: string): Error {
    return problem('bmc_unable', { facts: { kind: 'ipmi', what, reason: 'IPMI has none' } });
  }
}

/** Of what -v adds, the answer is the last line. */
function answerOf(stdout: string): string {
  return stdout.trimEnd().split('\n').at(-1) ?? '';
}
