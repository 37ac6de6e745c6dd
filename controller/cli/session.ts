import { Client } from '@bootswarm/controller/contract';
import { Problem } from '@bootswarm/images/format';
import type { Command } from 'commander';
import { readCredentials } from './credentials.ts';
import { Output } from './output.ts';
import { problem } from './problems.ts';
import { makeProgress, type Progress } from './progress.ts';

/** What every command works with. */
export interface Session {
  readonly output: Output;
  readonly progress: Progress;
  /** Ends at Ctrl-C. */
  readonly signal: AbortSignal;
  /** @throws Problem not_logged_in */
  client(): Client;
}

interface GlobalOptions {
  readonly json?: true;
  readonly controller?: string;
}

/** Runs one command: sessions, Ctrl-C, and errors as the operator should read them. Sets the exit code. */
export async function inSession(command: Command, run: (session: Session) => Promise<void>): Promise<void> {
  const options = command.optsWithGlobals<GlobalOptions>();
  const output = new Output(options.json === true);
  const progress = makeProgress(output.json);
  const abort = new AbortController();
  const stop = (): void => abort.abort(problem('interrupted'));
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    await run({
      output,
      progress,
      signal: abort.signal,
      client: () => new Client(readCredentials(process.env, options.controller)),
    });
  } catch (error) {
    progress.end();
    const reason = abort.signal.aborted ? abort.signal.reason : error;
    if (!(reason instanceof Problem)) throw reason;
    output.problem(reason);
    process.exitCode = abort.signal.aborted ? 130 : 1;
  } finally {
    progress.end();
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
}
