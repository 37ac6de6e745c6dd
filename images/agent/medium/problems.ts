import { defineProblems } from '@bootswarm/images/format';

/** Why a machine is not installed from a medium, beside what fails in an installation from anywhere. */
export const problem = defineProblems({
  medium_not_found: {
    status: 404,
    message: 'the medium {id} that this was started from was not found within {seconds} s; looked at {seen}',
    remedy:
      'Leave it in its drive or port until the machine is installed. A copy that differs is not taken: write it anew.',
  },
  medium_unreadable: {
    status: 422,
    message: 'the medium does not say what is to be installed: {reason}',
    remedy:
      "Make it again, with the mini image of the same checkout: 'bootswarm image build --install-profile'.",
  },
  medium_declined: {
    status: 409,
    message: '{how}',
    remedy:
      'Nothing was written to any disk. The installation may be chosen again from the menu of the medium.',
  },
});
