import { ShellLexer } from './shell-words.ts';

/** A here-document of a RUN, COPY or ADD line. */
export interface Heredoc {
  /** The word that ends it; also the file's name where COPY writes it. */
  name: string;
  content: string;
  /** False where the word was quoted: variables stay as they are. */
  expand: boolean;
  /** `<<-`: leading tabs are taken away. */
  chomp: boolean;
  /** As written before `<<`; 0 where nothing stands there. */
  fileDescriptor: number;
}

/** The here-document that one word of a line begins, without its content; null: none. */
export function parseHeredocWord(word: string): Heredoc | null {
  const match = /^(\d*)<<(-?)([^<]+)$/.exec(word);
  if (!match) return null;
  const [, descriptor = '', dash, rest = ''] = match;
  const plain = words(rest, false);
  const raw = words(rest, true);
  if (plain?.length !== 1 || raw?.length !== 1) return null;
  return {
    name: plain[0] as string,
    content: '',
    expand: plain[0] === raw[0],
    chomp: dash === '-',
    fileDescriptor: descriptor === '' ? 0 : Number(descriptor),
  };
}

/** All here-documents that a line begins, in order, without their contents. */
export function heredocsOf(line: string): Heredoc[] {
  if (!line.includes('<<')) return [];
  const found = words(line, true) ?? [];
  return found.flatMap((word) => parseHeredocWord(word) ?? []);
}

/** Null: quotes that do not close, which is no here-document. */
function words(text: string, raw: boolean): string[] | null {
  const lexer = new ShellLexer({ escapeSign: '\\', keepUnset: true, raw });
  try {
    return lexer.words(text, new Map());
  } catch {
    return null; // whoever reads the line itself tells what is wrong with it
  }
}
