import { type Intent, intentText } from '@bootswarm/controller/contract';

/** What an order makes the agent do. */
export type Task =
  | { readonly kind: 'inspect' }
  /** Nothing, with the reason. */
  | {
      readonly kind: 'wait';
      readonly reason: string;
      /** Whose manifest is verified first: who is told to boot what nobody signed should hear so at once. */
      readonly release?: string;
    };

/** What this version of the agent does of an intent. Whatever it does not know, it leaves undone. */
export function taskOf(intent: Intent): Task {
  if (intent.kind === 'inspect') return { kind: 'inspect' };
  const reason = `'${intentText(intent)}' is not in this version of the agent: waiting for another intent`;
  return { kind: 'wait', reason, ...('release' in intent ? { release: intent.release } : {}) };
}
