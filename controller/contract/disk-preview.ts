import { type DiskPlan, isRefusal, planDisks, planText, type Refusal } from '@bootswarm/images/install';
import type { ImageProfile } from './image-profile.ts';
import type { Inspection } from './inspection.ts';

/** What a profile would do to the disks of a machine as it was inspected, or why nothing would be done. */
export type DiskPreview =
  | { readonly plan: DiskPlan; readonly text: string }
  | { readonly refusal: Refusal; readonly text: string };

/**
 * The agent plans anew, by what it finds then; this is the same rule over what was found last. Pure.
 * @param identity of the installation, by which file systems get their UUIDs: those of the next epoch here.
 * @param image bytes of the root as it is fetched, 0 where it is not known; or that it is a disk's.
 */
export function previewDisks(
  { firmware, disks }: Inspection,
  { layout }: Pick<ImageProfile, 'layout'>,
  identity: string,
  image: { readonly rootBytes: number; readonly isDisk: boolean },
): DiskPreview {
  const plan = planDisks({ facts: { firmware, disks }, layout, identity, imageBytes: image.rootBytes });
  if (!isRefusal(plan)) return { plan, text: planText(plan, image.isDisk) };
  return { refusal: plan, text: `Nothing would be written: ${plan.message}.\n${plan.remedy}` };
}
