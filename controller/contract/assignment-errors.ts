/** What goes wrong with assignments; a part of the catalogue. */
export const ASSIGNMENT_ERRORS = {
  assignment_tie: {
    status: 409,
    message: 'assignments {assignment} and {other} would both hold for {where}, and none is narrower',
    remedy:
      "Give one of them a term more, or name machines by it; 'bootswarm assignment list' shows how narrow each is.",
  },
  assignment_none: {
    status: 409,
    message: 'nothing is assigned to machine {machine}',
    remedy:
      "Name a profile ('bootswarm machine boot {machine} install PROFILE'), or assign one: 'bootswarm assign NAME --match SELECTOR --profile PROFILE'.",
  },
  assignment_open: {
    status: 409,
    message: 'assignments {list} match machine {machine}, and none is narrower than the others',
    remedy:
      "Give one of them a term more ('bootswarm assign'), or name a profile: 'bootswarm machine boot {machine} install PROFILE'.",
  },
  assignment_unfit: {
    status: 422,
    message: 'assignment {assignment} and profile {profile} do not fit each other: {reason}',
    remedy: "Correct one of them: 'bootswarm assign --help', 'bootswarm profile apply --help'.",
  },
} as const;
