import { type Keys, typedLine } from './keyboard.ts';
import { problem } from './problems.ts';

const TELL_SECONDS = 10;
/** What a person types so that what this medium has installed is installed over. */
const AGAIN = 'again';

interface Asking {
  readonly keys: Keys;
  readonly say: (line: string) => void;
}

/**
 * Resolves when the plan that is on the console may be carried out: after a while in which nobody presses a key. Where
 * this medium has laid a disk out before, only a word that is typed will do: a medium that was left in its drive must not
 * install over its own installation again and again.
 * @param begun disks that it has laid out, for a person.
 * @throws Problem medium_declined
 */
export async function consent(
  begun: readonly string[],
  waitSeconds: number,
  { keys, say }: Asking,
): Promise<void> {
  keys.drop();
  if (begun.length > 0) {
    say(`This medium has installed this machine before, or begun to: ${begun.join(', ')}.`);
    say(
      `To install it once more, type ${AGAIN} and Enter. To leave it as it is, take the medium out and press Enter.`,
    );
    const typed = await typedLine(keys);
    if (typed !== AGAIN) throw problem('medium_declined', { facts: { how: `that was not '${AGAIN}'` } });
    return;
  }
  say('What is on these disks will be LOST.');
  for (let left = waitSeconds; left > 0; left--) {
    if (left === waitSeconds || left % TELL_SECONDS === 0 || left <= 3)
      say(`it begins in ${left} s; any key stops it`);
    if ((await keys.next(1000)) !== undefined)
      throw problem('medium_declined', { facts: { how: 'a key was pressed' } });
  }
}
