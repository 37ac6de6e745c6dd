/**
 * Waits for a commit of lmdb, which rejects one with a promise of the reason; that ends the process unless
 * somebody waits for it.
 * @throws the reason.
 */
export async function commitOf(commit: Promise<unknown>): Promise<void> {
  try {
    await commit;
  } catch (error) {
    const { commitError } = error as { readonly commitError?: Promise<never> };
    throw (await commitError?.catch((reason: unknown) => reason)) ?? error;
  }
}
