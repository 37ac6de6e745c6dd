import { type Logger, pino } from 'pino';

/** A logger, and the lines that it was given as `LEVEL MESSAGE`. */
export function quietLog(): { readonly log: Logger; readonly lines: string[] } {
  const lines: string[] = [];
  const write = (text: string): void => {
    const { level, msg } = JSON.parse(text) as { level: number; msg: string };
    lines.push(`${pino.levels.labels[level]} ${msg}`);
  };
  return { log: pino({ level: 'debug' }, { write }), lines };
}
