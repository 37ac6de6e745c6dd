import { posix } from 'node:path';
import { Architecture, KernelArgument, ReleaseName, ReleaseVersion } from '@bootswarm/images/format';
import { z } from 'zod';

/** Without a trailing `-`, which tells apt to remove the package. */
const PackageName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9+.-]*[a-z0-9+]$/, 'must be the name of a Debian package, such as openssh-server');

/** useradd(8): anything else could be read as an option or a path. */
const AccountName = z
  .string()
  .regex(/^[a-z_][a-z0-9_-]{0,31}$/, 'must be 1 to 32 of a-z 0-9 _ - and start with a letter');

const AbsolutePath = z
  .string()
  .refine(
    (path) => /^\/\P{Cc}+$/u.test(path) && posix.normalize(path) === path && !path.endsWith('/'),
    'must be an absolute path without . or .. in it, such as /etc/motd',
  );

const FileInRecipeFolder = z
  .string()
  .refine(
    (path) => path !== '' && !path.startsWith('/') && !posix.normalize(path).startsWith('..'),
    'must be a path inside the folder of the recipe',
  );

const RecipeFile = z
  .strictObject({
    path: AbsolutePath,
    content: z.string().optional(),
    /** Relative to the folder of the recipe. */
    source: FileInRecipeFolder.optional(),
    mode: z
      .string('must be octal digits in quotes, such as "0644"')
      .regex(/^[0-7]{3,4}$/, 'must be octal digits in quotes, such as "0644"')
      .default('0644'),
    owner: z
      .string()
      .regex(/^[a-z_][a-z0-9_-]*(:[a-z_][a-z0-9_-]*)?$/, 'must be USER or USER:GROUP')
      .default('root:root'),
  })
  .refine((file) => (file.content === undefined) !== (file.source === undefined), {
    message: 'must have either `content` or `source`',
  });

const RecipeUser = z.strictObject({
  name: AccountName,
  passwordHash: z
    .string()
    .regex(
      /^(\*|\$[a-z0-9]+\$[A-Za-z0-9./$=,]+)$/,
      'must be a crypt hash, as `openssl passwd -6` prints, or "*" for no password',
    )
    .default('*'),
  sshKeys: z
    .array(
      z
        .string()
        .regex(
          /^(ssh|ecdsa|sk)-[a-z0-9@.-]+ [A-Za-z0-9+/]+=*( [\x20-\x7e]*)?$/,
          'must be one line of an OpenSSH public key file',
        ),
    )
    .default([]),
  groups: z.array(AccountName).default([]),
  shell: AbsolutePath.default('/bin/bash'),
});

/** As systemctl takes it: without an ending it is a service. */
const UnitName = z
  .string()
  .regex(/^[A-Za-z0-9_][A-Za-z0-9:_.@-]{0,254}$/, 'must be the name of a systemd unit, such as ssh.service');

const RecipeServices = z
  .strictObject({
    enable: z.array(UnitName).default([]),
    disable: z.array(UnitName).default([]),
    /** Not even to be started as what another unit needs. */
    mask: z.array(UnitName).default([]),
  })
  .superRefine((services, context) => {
    const seen = new Map<string, string>();
    for (const verb of ['enable', 'disable', 'mask'] as const) {
      for (const [index, unit] of services[verb].entries()) {
        const other = seen.get(unit);
        if (other !== undefined && other !== verb)
          context.addIssue({
            code: 'custom',
            path: [verb, index],
            message: `is ${unit}, as in \`${other}\` already`,
          });
        seen.set(unit, verb);
      }
    }
  });

const RecipeHook = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9 ._-]{0,62}$/, 'must be 1 to 63 letters, digits, blanks or . _ -'),
  /** For /bin/sh -eu, inside the new root. */
  script: z.string().min(1),
});

/** Set by Bootswarm for each boot; a recipe that sets them too would break it. */
const RESERVED_ARGUMENTS = ['boot', 'fetch', 'root', 'BOOTIF', 'initrd'];

export const Recipe = z
  .strictObject({
    name: ReleaseName,
    version: z.string('must be text: write it in quotes, such as "1.0"').pipe(ReleaseVersion),
    architecture: Architecture.default('amd64'),
    suite: z.enum(['bookworm', 'trixie']),
    /** Parts of the archive; network cards often need firmware from `non-free-firmware`. */
    components: z
      .array(z.enum(['main', 'contrib', 'non-free', 'non-free-firmware']))
      .min(1)
      .default(['main']),
    kernel: PackageName.optional(),
    packages: z.array(PackageName).default([]),
    /** Paths, with `*` and `?`, that dpkg leaves out when it unpacks a package. */
    exclude: z
      .array(
        z.string().regex(/^\/[\x21-\x7e]+$/, 'must be an absolute path pattern, such as /usr/share/man/*'),
      )
      .default([]),
    files: z.array(RecipeFile).superRefine(refuseTwice('path')).default([]),
    users: z.array(RecipeUser).superRefine(refuseTwice('name')).default([]),
    services: RecipeServices.prefault({}),
    hooks: z.array(RecipeHook).superRefine(refuseTwice('name')).default([]),
    kernelArguments: z
      .array(
        KernelArgument.refine(
          (argument) => !RESERVED_ARGUMENTS.includes(argument.split('=', 1)[0] ?? ''),
          'is set by Bootswarm itself',
        ),
      )
      .max(63)
      .default([]),
  })
  .transform((recipe) => ({ ...recipe, kernel: recipe.kernel ?? `linux-image-${recipe.architecture}` }));
/** What goes into an image, with every default filled in. */
export type Recipe = z.output<typeof Recipe>;

/** The keys that the map at `path` of a recipe may have. */
export function knownKeys(path: readonly PropertyKey[]): string[] {
  const schemas: Readonly<Record<string, z.ZodObject>> = {
    files: RecipeFile,
    users: RecipeUser,
    hooks: RecipeHook,
    services: RecipeServices,
  };
  const schema = schemas[String(path[0])];
  return schema ? Object.keys(schema.shape) : [...Object.keys(Recipe.in.shape), 'include', 'variables'];
}

function refuseTwice<Key extends string>(key: Key) {
  return (items: readonly Readonly<Record<Key, string>>[], context: z.RefinementCtx): void => {
    for (const [index, item] of items.entries()) {
      const first = items.findIndex((other) => other[key] === item[key]);
      if (first < index) {
        context.addIssue({
          code: 'custom',
          path: [index, key],
          message: `is ${item[key]}, as in [${first}] already`,
        });
      }
    }
  };
}
