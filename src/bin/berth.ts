import { programWords } from './program-words.ts';

/** Picks the program; loads nothing else, so that each starts as fast as it can. */
const words = programWords(process.argv, process.argv0);
const [first, ...rest] = words;
if (!Bun.isMainThread) {
  const { runTransferThread } = await import('../programs/registry/transfer-thread.ts');
  runTransferThread();
} else if (first === 'daemon') {
  const { keepHeapSmall } = await import('../host/process/small-heap.ts');
  keepHeapSmall();
  const { main } = await import('../programs/daemon/main.ts');
  await main(rest);
} else if (first === '--job') {
  const { main } = await import('../programs/job.ts');
  await main(rest);
} else if (first === '--resolver') {
  const { main } = await import('../programs/resolver/main.ts');
  await main(rest);
} else {
  const { main } = await import('../cli/main.ts');
  process.exit(
    await main(words, undefined, {
      host: () => import('../programs/host/main.ts'),
      registry: () => import('../programs/registry/main.ts'),
    }),
  );
}
