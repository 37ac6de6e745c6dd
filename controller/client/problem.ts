import type { ErrorCode } from '@bootswarm/controller/contract';
import { Problem } from '@bootswarm/images/format';

/** Whether an error is a problem of the controller's, and one of these codes where some are named. */
export function isProblem<Code extends ErrorCode>(
  error: unknown,
  ...codes: readonly Code[]
): error is Problem & { readonly code: Code } {
  return error instanceof Problem && (codes.length === 0 || codes.some((code) => code === error.code));
}
