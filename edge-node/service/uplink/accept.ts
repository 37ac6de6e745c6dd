import { DesiredState } from '@bootswarm/controller/contract';
import { type Signed, verifySigned } from '@bootswarm/images/format';
import { z } from 'zod';
import { problem } from '../problems.ts';

const Json = z.string().transform((text, context): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    context.addIssue('is not JSON');
    return z.NEVER;
  }
});

/**
 * Reads a desired state that came from the controller, if it may be believed. Pure.
 * @param held what this edge follows now.
 * @throws Problem signature_wrong, desired_state_unreadable, revision_went_back
 */
export function acceptDesiredState(
  signed: Signed,
  edge: string,
  controllerKey: string,
  held: DesiredState | undefined,
): DesiredState {
  if (!verifySigned(signed, controllerKey)) throw problem('signature_wrong');
  const parsed = Json.pipe(DesiredState).safeParse(signed.payload);
  if (!parsed.success)
    throw problem('desired_state_unreadable', { facts: { reason: z.prettifyError(parsed.error) } });
  const state = parsed.data;
  if (state.edge !== edge)
    throw problem('desired_state_unreadable', { facts: { reason: `it is for edge ${state.edge}` } });
  if (held && state.revision < held.revision)
    throw problem('revision_went_back', { facts: { offered: state.revision, held: held.revision } });
  return state;
}
