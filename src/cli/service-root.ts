/** For those who make packages and images of systems: nothing is started, and no group is made. */
export const rootOption = {
  kind: 'string',
  default: '/',
  help: 'Root of the system that is meant, when it is not this one',
  complete: 'files',
} as const;
