/**
 * CommonMark as HTML, read by Bun's parser: headings, paragraphs, quotes, lists, code, emphasis, tables, links to http and https. Tags in the
 * text are text, and so is an image's address: nothing is fetched from elsewhere.
 */
import { Html, html, type Part } from './html.ts';

/** The page has a heading of its own, and the section too. */
const firstHeading = 3;
/** The parser's time grows with the square of how deep quotes and lists stand in each other. */
const tooDeep = /^(?:[ \t]*(?:>|[-*+]|\d{1,9}[.)])){20}/m;

/** Elements and pieces of text. The cells that a row leaves out are made too: 60 kB of rows would be 35 MB of cells. */
const mostParts = 20_000;

/** A text that would cost too much is shown as it is. */
export function renderMarkdown(text: string): Html {
  const plain = html`<pre tabindex="0">${text}</pre>`;
  if (tooDeep.test(text)) return plain;
  try {
    left = mostParts;
    return new Html(
      Bun.markdown.render(text, callbacks, { noHtmlBlocks: true, noHtmlSpans: true, autolinks: { url: true } }),
    );
  } catch (error) {
    if (error instanceof TooMuch) return plain;
    throw error;
  }
}

class TooMuch extends Error {}

/** Of the text that is being read; nothing else runs meanwhile. */
let left = 0;

function spend(): void {
  if (--left < 0) throw new TooMuch();
}

/** What stands inside of an element comes here as HTML already: all text goes through `text` first. */
const callbacks: Parameters<typeof Bun.markdown.render>[1] = {
  text: (text) => {
    spend();
    return html`${text}`.text;
  },
  heading: (inner, { level }) => element(`h${Math.min(level + firstHeading - 1, 6)}`, inner),
  paragraph: (inner) => element('p', inner),
  blockquote: (inner) => element('blockquote', inner),
  list: (inner, { ordered }) => element(ordered ? 'ol' : 'ul', inner),
  listItem: (inner) => element('li', inner),
  hr: () => '<hr>',
  code: (inner) => html`<pre tabindex="0"><code>${new Html(inner.replace(/\n$/, ''))}</code></pre>`.text,
  codespan: (inner) => element('code', inner),
  strong: (inner) => element('strong', inner),
  emphasis: (inner) => element('em', inner),
  strikethrough: (inner) => element('s', inner),
  table: (inner) => element('table', inner),
  thead: (inner) => element('thead', inner),
  tbody: (inner) => element('tbody', inner),
  tr: (inner) => element('tr', inner),
  th: (inner) => element('th', inner),
  td: (inner) => element('td', inner),
  link: (inner, { href }) => link(inner, href),
  image: (inner, { src }) => link(inner, src),
};

function element(name: string, inner: string): string {
  spend();
  return `<${name}>${inner}</${name}>`;
}

/** The label alone where the address is of another kind. Of links in a link only the outer one counts. */
function link(label: string, target: string): string {
  if (!/^https?:\/\//i.test(target) || !URL.canParse(target)) return label;
  const shown: Part = label === '' ? target : new Html(label.replace(/<\/?a\b[^>]*>/g, ''));
  return html`<a href="${target}" rel="nofollow ugc noopener noreferrer">${shown}</a>`.text;
}
