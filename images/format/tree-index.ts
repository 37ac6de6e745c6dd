import { z } from 'zod';

/**
 * A path inside a tree: relative to its top, parts apart by `/`, none of them empty, `.` or `..`, and no control
 * character. As the medium spells it, not as a URL does: `%` stands for itself.
 */
export const TreePath = z
  .string()
  .max(4096)
  .regex(
    /^(?!.*(?:^|\/)\.{1,2}(?:\/|$))[^\p{Cc}/]+(?:\/[^\p{Cc}/]+)*$/u,
    'must be a plain path below the top of the tree',
  );

/**
 * Where each file of an installer's repository stands in the artefact `tree`, which is one uncompressed tar or the ISO
 * as it came: an edge serves a file as a range of it and unpacks nothing. This is the artefact `tree-index`, as JSON.
 */
export const TreeIndex = z
  .strictObject({
    format: z.literal(1),
    /** Bytes of the artefact `tree`. */
    length: z.int().positive(),
    /** Each file is bytes `offset` to `offset + length` of the tree. Sorted by path; an empty file has length 0. */
    files: z.array(
      z.strictObject({ path: TreePath, offset: z.int().nonnegative(), length: z.int().nonnegative() }),
    ),
    /** Symbolic links to a file or folder of the tree, `target` counted from the top. Those that lead out are left out. */
    links: z.array(z.strictObject({ path: TreePath, target: TreePath })),
  })
  .refine(({ files, length }) => files.every((file) => file.offset + file.length <= length), {
    path: ['files'],
    message: 'must lie within the tree',
  })
  .refine(
    ({ files, links }) =>
      new Set([...files, ...links].map(({ path }) => path)).size === files.length + links.length,
    { path: ['files'], message: 'must not name a path twice' },
  );
export type TreeIndex = z.infer<typeof TreeIndex>;
