/**
 * `node run-in-order.ts AT_ONCE FILE...`: as `node --test`, which would sort the files: the order says which of them run
 * beside each other.
 */
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

const [atOnce, ...files] = process.argv.slice(2);

run({ files, concurrency: Number(atOnce) })
  .on('test:fail', () => {
    process.exitCode = 1;
  })
  .compose(spec)
  .pipe(process.stdout);
