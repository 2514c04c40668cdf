/**
 * The words behind the program's name. Called `registry`, as in the built-in image, it is one: then they are those of Docker's registry, whose image
 * takes a configuration file, options or nothing for `serve`.
 */
export function programWords(argv: readonly string[], name: string): string[] {
  const words = argv.slice(2);
  if (![name, argv[1] ?? ''].some((path) => /(?:^|\/)registry$/.test(path))) return words;
  const [first] = words;
  const serves =
    first === undefined ||
    /\.ya?ml$/.test(first) ||
    (first.startsWith('-') && !/^(?:-v|-h|--version|--help)$/.test(first));
  return ['registry', ...(serves ? ['serve'] : []), ...words];
}
