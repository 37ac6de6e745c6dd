import { type Client, endpoints, ROLLOUT_STATES, type RolloutStory } from '@bootswarm/controller/contract';
import type { Output } from './output.ts';
import type { Progress } from './progress.ts';
import { rolloutText } from './rollout-text.ts';

const WAIT_SECONDS = 20;
const ENDED = ['done', 'failed', 'skipped', 'undone', 'undo_failed'] as const;

/** Shows a rollout until it is over. Exit code 1 where it did not come to be done. */
export async function followRollout(
  client: Client,
  name: string,
  { output, progress, signal }: { output: Output; progress: Progress; signal: AbortSignal },
): Promise<void> {
  for (let after = -1; ; ) {
    const query = { after, waitSeconds: after < 0 ? 0 : WAIT_SECONDS };
    const story = await client.call(endpoints.showRollout, { params: { name }, query }, { signal });
    const { fraction, message } = momentOf(story);
    progress.show({ stage: `rollout ${name}`, fraction, message });
    if (ROLLOUT_STATES[story.state].isOver) {
      progress.end();
      output.result(story, rolloutText);
      if (story.state !== 'done') process.exitCode = 1;
      return;
    }
    after = story.changes;
  }
}

function momentOf({ counts, waves, wave, state }: RolloutStory): { fraction: number; message: string } {
  const all = waves.reduce((sum, { size }) => sum + size, 0);
  const ended = ENDED.reduce((sum, step) => sum + (counts[step] ?? 0), 0);
  const failed = counts.failed ?? 0;
  const present = waves[wave];
  const parts = [
    `${state}, wave ${present?.name} ${present?.state}`,
    `${counts.done ?? 0} of ${all} done`,
    ...(failed > 0 ? [`${failed} failed`] : []),
  ];
  return { fraction: ended / all, message: parts.join(', ') };
}
