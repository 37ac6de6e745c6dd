import {
  type AgentOrder,
  type InstallOrder,
  intentText,
  type SwarmTerms,
  type WipeOrder,
} from '@bootswarm/controller/contract';

/** What an order makes the agent do. */
export type Task =
  | { readonly kind: 'inspect' }
  | { readonly kind: 'live'; readonly release: string; readonly swarm?: SwarmTerms }
  | { readonly kind: 'wipe'; readonly order: WipeOrder }
  | { readonly kind: 'rescue'; readonly sshKeys: readonly string[] }
  | { readonly kind: 'install'; readonly order: InstallOrder; readonly swarm?: SwarmTerms }
  /** Nothing any more, and it is to be told on the console. */
  | { readonly kind: 'failed'; readonly reason: string }
  /** Nothing yet, with the reason. */
  | { readonly kind: 'wait'; readonly reason: string }
  /** What firmware and iPXE do at the next boot. */
  | {
      readonly kind: 'boot';
      readonly what: string;
      /** Whose manifest is verified first: who is told to boot what nobody signed should hear so at once. */
      readonly release?: string;
    };

/** What the agent does of an order. */
export function taskOf({ intent, install, wipe, failed, notYet, swarm }: AgentOrder): Task {
  const among = swarm === undefined ? {} : { swarm };
  if (failed !== undefined) return { kind: 'failed', reason: failed.slice(0, 300) };
  if (install !== undefined) return { kind: 'install', order: install, ...among };
  if (wipe !== undefined) return { kind: 'wipe', order: wipe };
  if (notYet !== undefined) return { kind: 'wait', reason: notYet.slice(0, 300) };
  if (intent.kind === 'inspect') return { kind: 'inspect' };
  if (intent.kind === 'live' && intent.by === 'agent')
    return { kind: 'live', release: intent.release, ...among };
  if (intent.kind === 'rescue') return { kind: 'rescue', sshKeys: intent.sshKeys };
  const release = 'release' in intent ? intent.release : undefined;
  return { kind: 'boot', what: intentText(intent), ...(release === undefined ? {} : { release }) };
}
