import { constants } from 'node:fs';
import { access, lstat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type BmcOf,
  commandArguments,
  type Machine,
  type PowerSeen,
  problem,
} from '@bootswarm/controller/contract';
import type { Driver } from './driver.ts';
import { plainText } from './plain-text.ts';
import { runProgram } from './run-program.ts';

/** What the exit codes of a power command say. */
const EXIT = { done: 0, refused: 1, unable: 2, tryAgain: 3 } as const;
const TIMEOUT_MS = 60_000;

interface CommandOptions {
  readonly bmc: BmcOf<'command'>;
  readonly machine: Pick<Machine, 'id' | 'macs' | 'uuid'>;
  /** Of the controller: nothing else is run. undefined where it has none. */
  readonly folder: string | undefined;
  readonly password: string | undefined;
  readonly timeoutMs?: number;
}

/**
 * A program of the operator's, for what speaks neither IPMI nor Redfish: a PDU, a hypervisor. It gets its arguments
 * as they stand, no shell between, and one object in JSON on standard input: action (status, on, off, reset,
 * override), machine, macs, uuid, secret. It says how it went by its exit code, and for status prints on or off.
 */
export class CommandDriver implements Driver {
  readonly #options: CommandOptions;

  constructor(options: CommandOptions) {
    this.#options = options;
  }

  async status(signal: AbortSignal): Promise<PowerSeen> {
    const said = (await this.#run('status', signal)).trim();
    if (said === 'on' || said === 'off' || said === 'unknown') return said;
    throw this.#garbage('status', `it printed ${said === '' ? 'nothing' : plainText(said)}`);
  }

  async order(order: 'on' | 'off' | 'reset', signal: AbortSignal): Promise<void> {
    await this.#run(order, signal);
  }

  async bootFromNetworkOnce(signal: AbortSignal): Promise<void> {
    await this.#run('override', signal);
  }

  async insertMedia(): Promise<void> {
    throw this.#unable('insert', 'it has no virtual media');
  }

  async ejectMedia(): Promise<void> {
    throw this.#unable('eject', 'it has no virtual media');
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  /** @returns what it printed. */
  async #run(action: string, signal: AbortSignal): Promise<string> {
    const { bmc, machine, password, timeoutMs = TIMEOUT_MS } = this.#options;
    const { id, macs, uuid } = machine;
    const program = await this.#program();
    const end = await runProgram({
      program,
      arguments: commandArguments(bmc.arguments, {
        action,
        machine: id,
        mac: macs[0] ?? '',
        uuid: uuid ?? '',
      }),
      env: {},
      input: JSON.stringify({ action, machine: id, macs, uuid, secret: password }),
      timeoutMs,
      signal,
    }).catch((error: Error) => {
      throw unknownProgram(bmc.program, `it cannot be run: ${error.message}`);
    });
    signal.throwIfAborted();
    const reason = plainText(end.stderr) || `exit code ${end.code}`;
    const facts = { address: `the command ${bmc.program}`, what: action, reason };
    if (end.code === EXIT.done) return end.stdout;
    if (end.code === EXIT.refused) throw problem('bmc_refused', { facts });
    if (end.code === EXIT.unable) throw this.#unable(action, reason);
    if (end.code === EXIT.tryAgain) throw problem('bmc_busy', { facts });
    if (end.code === null) throw problem('bmc_silent', { facts });
    throw this.#garbage(action, reason);
  }

  /** A link may lead anywhere, and is not followed. */
  async #program(): Promise<string> {
    const { bmc, folder } = this.#options;
    if (folder === undefined)
      throw unknownProgram(bmc.program, 'the controller was started without a folder of them');
    const path = join(folder, bmc.program);
    const found = await lstat(path).catch(() => undefined);
    if (!found?.isFile()) throw unknownProgram(bmc.program, `there is no such file in ${folder}`);
    await access(path, constants.X_OK).catch(() => {
      throw unknownProgram(bmc.program, 'it is not executable');
    });
    return path;
  }

  #garbage(what: string, reason: string): Error {
    return problem('bmc_garbage', {
      facts: { address: `the command ${this.#options.bmc.program}`, what, reason },
    });
  }

  #unable(what: string, reason: string): Error {
    return problem('bmc_unable', { facts: { kind: 'command', what, reason } });
  }
}

function unknownProgram(program: string, reason: string): Error {
  return problem('power_command_unknown', { field: 'program', facts: { program, reason } });
}
