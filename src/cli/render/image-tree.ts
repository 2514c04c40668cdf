/** `images --tree`: one block for each image, its names above each other. */
import type { ImageSummary } from '../../api/types/image.ts';
import { humanSize } from '../../wire/size.ts';
import { shortId } from './text.ts';

interface Column {
  title: string;
  width: number;
  right: boolean;
  text: (image: ImageSummary) => string;
}

const gap = '   ';
const untagged = '<untagged>';
/** Where no terminal says how wide it is. */
const defaultColumns = 80;

const style = {
  head: (text: string): string => `\u001b[39m\u001b[1m${text}\u001b[0m`,
  name: (text: string): string => `\u001b[34m\u001b[1m${text}\u001b[0m`,
  value: (text: string): string => `\u001b[39m${text}\u001b[0m`,
  warning: (text: string): string => `\u001b[93m${text}\u001b[0m`,
};

/** @param columns width of the terminal that it is for; null: for no terminal, so without colors but in the head, as Docker has it */
export function imageTree(images: readonly ImageSummary[], columns: number | null): string {
  const colored = columns !== null;
  const warning = "WARNING: This is an experimental feature. The output may change and shouldn't be depended on.";
  const names = images.flatMap(namesOf);
  const nameWidth = Math.max('IMAGE'.length, ...names.map((name) => name.length));
  const titles = values.map(({ title, width, right }) =>
    pad(style.head(title), { width, right, length: title.length }),
  );
  const lines = [
    colored ? style.warning(warning) : warning,
    legend(columns),
    '',
    [style.head('IMAGE') + ' '.repeat(nameWidth - 'IMAGE'.length), ...titles].join(gap).trimEnd(),
  ];
  const sorted = images.toSorted((a, b) => b.Created - a.Created);
  for (const image of sorted) lines.push(...imageLines(image, { nameWidth, colored }));
  return lines.map((line) => `${line}\n`).join('');
}

const values: readonly Column[] = [
  { title: 'ID', width: 12, right: false, text: ({ Id }) => shortId(Id) },
  { title: 'DISK USAGE', width: 10, right: true, text: ({ Size }) => humanSize(Number(Size), 3) },
  // What is kept packed beside the layers: nothing here.
  { title: 'CONTENT SIZE', width: 12, right: true, text: () => '0B' },
  { title: 'EXTRA', width: 5, right: false, text: ({ Containers }) => (Containers > 0 ? ' U ' : '') },
];

function namesOf({ RepoTags }: ImageSummary): string[] {
  const names = (RepoTags ?? []).filter((name) => name !== '<none>:<none>');
  return names.length > 0 ? names : [untagged];
}

function imageLines(image: ImageSummary, { nameWidth, colored }: { nameWidth: number; colored: boolean }): string[] {
  const paint = (text: string, as: (text: string) => string): string => (colored && text !== '' ? as(text) : text);
  const names = namesOf(image);
  const last = names.at(-1) as string;
  const cells = values.map(({ width, right, text }) => {
    const plain = text(image);
    return pad(paint(plain, style.value), { width, right, length: plain.length });
  });
  return [
    ...names.slice(0, -1).map((name) => paint(name, style.name)),
    [paint(last, style.name) + ' '.repeat(nameWidth - last.length), ...cells].join(gap),
  ];
}

/** What the mark of an image in use means, at the right edge. */
function legend(columns: number | null): string {
  const plain = 'Info ->  U In Use ';
  if (columns === null) return plain.padStart(defaultColumns);
  const painted =
    '\u001b[1m\u001b[106m\u001b[30mi\u001b[0m\u001b[0m \u001b[96mInfo → \u001b[0m\u001b[0m \u001b[38;5;0m\u001b[48;5;14m U \u001b[0m In Use ';
  const width = 'i Info →   U  In Use '.length;
  return ' '.repeat(Math.max(0, columns - width)) + painted;
}

/** @param as.length of the text without its colors */
function pad(text: string, as: { width: number; right: boolean; length: number }): string {
  const blanks = ' '.repeat(Math.max(0, as.width - as.length));
  return as.right ? blanks + text : text + blanks;
}
