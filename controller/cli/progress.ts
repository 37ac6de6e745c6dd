import { SingleBar } from 'cli-progress';

/** A moment of long work. */
interface ProgressEvent {
  readonly stage: string;
  /** 0 to 1, where it is known. */
  readonly fraction?: number | undefined;
  readonly message?: string | undefined;
}

export interface Progress {
  show(event: ProgressEvent): void;
  /** Leaves the terminal tidy; safe to call twice. */
  end(): void;
}

/** A bar in a terminal, plain lines otherwise, JSON lines with `--json`; all on standard error but JSON. */
export function makeProgress(json: boolean): Progress {
  if (json) return jsonLines();
  return process.stderr.isTTY ? bar() : plainLines();
}

/** One line for each hundredth of a stage, and each message that comes without a fraction. */
function jsonLines(): Progress {
  let last = '';
  return {
    show: (event) => {
      const { stage, fraction, message } = event;
      const moment = `${stage} ${fraction === undefined ? message : Math.floor(fraction * 100)}`;
      if (moment === last) return;
      last = moment;
      process.stdout.write(`${JSON.stringify({ event: 'progress', ...event })}\n`);
    },
    end: () => {},
  };
}

function bar(): Progress {
  const single = new SingleBar({
    format: '{stage} [{bar}] {percentage}% {message}',
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: true,
  });
  let started = false;
  return {
    show: ({ stage, fraction, message = '' }) => {
      const payload = { stage, message: message.slice(0, 60) };
      if (started) single.update(Math.round((fraction ?? 0) * 1000), payload);
      else single.start(1000, Math.round((fraction ?? 0) * 1000), payload);
      started = true;
    },
    end: () => {
      if (started) single.stop();
      started = false;
    },
  };
}

/** One line for each tenth of a stage, and each message that comes without a fraction. */
function plainLines(): Progress {
  let last = '';
  return {
    show: ({ stage, fraction, message }) => {
      const tenth = fraction === undefined ? undefined : Math.floor(fraction * 10) * 10;
      const line = [stage, tenth === undefined ? message : `${tenth} %`].filter(Boolean).join(': ');
      if (line === last) return;
      last = line;
      process.stderr.write(`${line}\n`);
    },
    end: () => {},
  };
}
