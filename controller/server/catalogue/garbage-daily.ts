import type { Garbage } from '@bootswarm/controller/contract';
import type { Logger } from 'pino';
import type { GarbageCollector } from './garbage.ts';

const EVERY_MS = 24 * 3600 * 1000;
/** After a start there is more to do than this. */
const FIRST_MS = 10 * 60 * 1000;

/**
 * Collects garbage by itself, once a day. Releases that are due are told and left to an operator's key.
 * @returns ends it, once a run that goes on has ended.
 */
export function collectDaily(
  garbage: Pick<GarbageCollector, 'collect' | 'survey'>,
  log: Logger,
): () => Promise<void> {
  let running = Promise.resolve();
  let timer: NodeJS.Timeout;
  const later = (ms: number): void => {
    timer = setTimeout(() => {
      running = collect(garbage, log).finally(() => later(EVERY_MS));
    }, ms).unref();
  };
  later(FIRST_MS);
  return async () => {
    clearTimeout(timer);
    await running;
    clearTimeout(timer);
  };
}

async function collect(garbage: Pick<GarbageCollector, 'collect' | 'survey'>, log: Logger): Promise<void> {
  try {
    const { artefacts, uploads } = await garbage.collect(new Date());
    const bytes = sum(artefacts) + sum(uploads);
    if (bytes > 0)
      log.info(
        { artefacts: artefacts.length, uploads: uploads.length, bytes },
        'removed what no release names',
      );
    const { releases } = await garbage.survey(new Date());
    if (releases.length > 0)
      log.info(
        { releases: releases.map(({ release }) => release) },
        "releases are beyond retention: 'bootswarm image gc' removes them",
      );
  } catch (error) {
    log.error({ err: error }, 'collecting garbage failed; it is tried again in a day');
  }
}

function sum(files: Garbage['uploads']): number {
  return files.reduce((all, { bytes }) => all + bytes, 0);
}
