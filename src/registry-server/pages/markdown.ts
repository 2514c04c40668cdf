/**
 * A small part of CommonMark as HTML: headings, paragraphs, quotes, lists, code, emphasis, links to http and https. Everything else is text,
 * tags too. Each line is looked at once, and each character of a line a fixed number of times, whatever the text is.
 */
import { Html, html } from './html.ts';

/** Deeper lists and quotes are text. */
const deepest = 6;
/** The page has a heading of its own, and the section too. */
const firstHeading = 3;

export function renderMarkdown(text: string): Html {
  return blocks(text.replace(/\r\n?/g, '\n').replaceAll('\t', '    ').split('\n'), 0);
}

const itemPattern = /^( {0,3})([-*+]|\d{1,9}[.)])( +|$)(.*)$/;

function blocks(lines: readonly string[], depth: number): Html {
  const parts: Html[] = [];
  let at = 0;
  while (at < lines.length) {
    const { part, next } = block(lines, at, depth);
    if (part) parts.push(part);
    at = next;
  }
  return html`${parts}`;
}

/** The block that begins at a line, and the line behind it. */
function block(lines: readonly string[], at: number, depth: number): { part: Html | null; next: number } {
  const line = lines[at] as string;
  if (line.trim() === '') return { part: null, next: at + 1 };
  const fence = /^ {0,3}(`{3,}|~{3,})[^`]*$/.exec(line)?.[1];
  if (fence) return fenced(lines, at, fence);
  const [, marks, title] = /^ {0,3}(#{1,6})(?: +(.*))?$/.exec(line) ?? [];
  if (marks) return { part: heading(marks.length, (title ?? '').replace(/ #+ *$/, '')), next: at + 1 };
  if (isRule(line)) return { part: html`<hr>`, next: at + 1 };
  if (depth < deepest && /^ {0,3}>/.test(line)) return quote(lines, at, depth);
  if (depth < deepest && itemPattern.test(line)) return list(lines, at, depth);
  if (line.startsWith('    ')) return indented(lines, at);
  return paragraph(lines, at, depth);
}

function heading(level: number, title: string): Html {
  const tag = new Html(`h${Math.min(level + firstHeading - 1, 6)}`);
  return html`<${tag}>${inline(title.trim())}</${tag}>`;
}

function isRule(line: string): boolean {
  const bare = line.replaceAll(' ', '');
  return line.search(/\S/) < 4 && bare.length >= 3 && /^(?:-+|\*+|_+)$/.test(bare);
}

function fenced(lines: readonly string[], at: number, fence: string): { part: Html; next: number } {
  let end = at + 1;
  while (end < lines.length && !isClosing(lines[end] as string, fence)) end++;
  return { part: code(lines.slice(at + 1, end)), next: end + 1 };
}

function isClosing(line: string, fence: string): boolean {
  const text = line.trim();
  return text.startsWith(fence) && text === (fence[0] as string).repeat(text.length);
}

function indented(lines: readonly string[], at: number): { part: Html; next: number } {
  let end = at;
  while (end < lines.length && ((lines[end] as string).startsWith('    ') || (lines[end] as string).trim() === ''))
    end++;
  const own = lines.slice(at, end).map((line) => line.slice(4));
  while (own.at(-1)?.trim() === '') own.pop();
  return { part: code(own), next: end };
}

function code(lines: readonly string[]): Html {
  return html`<pre tabindex="0"><code>${lines.join('\n')}</code></pre>`;
}

function quote(lines: readonly string[], at: number, depth: number): { part: Html; next: number } {
  let end = at;
  while (end < lines.length && /^ {0,3}>/.test(lines[end] as string)) end++;
  const own = lines.slice(at, end).map((line) => line.replace(/^ {0,3}> ?/, ''));
  return { part: html`<blockquote>${blocks(own, depth + 1)}</blockquote>`, next: end };
}

function list(lines: readonly string[], at: number, depth: number): { part: Html; next: number } {
  const isOrdered = (line: string): boolean => /^ *\d/.test(line);
  const ordered = isOrdered(lines[at] as string);
  const items: Html[] = [];
  let next = at;
  while (next < lines.length) {
    const [, before, mark, space, rest] = itemPattern.exec(lines[next] as string) ?? [];
    if (before === undefined || mark === undefined || rest === undefined) break;
    if (isRule(lines[next] as string) || isOrdered(lines[next] as string) !== ordered) break;
    const indent = before.length + mark.length + Math.min(Math.max(space?.length ?? 1, 1), 4);
    const own = [rest];
    next++;
    while (next < lines.length && continues(lines, next, indent)) own.push((lines[next++] as string).slice(indent));
    while (own.at(-1)?.trim() === '') own.pop();
    items.push(html`<li>${item(own, depth)}</li>`);
  }
  return { part: ordered ? html`<ol>${items}</ol>` : html`<ul>${items}</ul>`, next };
}

/** Indented as the item is; or empty, where what follows is. */
function continues(lines: readonly string[], at: number, indent: number): boolean {
  const line = lines[at] as string;
  if (line.trim() !== '') return line.startsWith(' '.repeat(indent));
  const following = lines[at + 1];
  return following !== undefined && following.trim() !== '' && following.startsWith(' '.repeat(indent));
}

/** One line of text stands without a paragraph of its own. */
function item(lines: readonly string[], depth: number): Html {
  const rest = lines.slice(1);
  const isTight = !rest.includes('');
  if (!isTight || lines[0] === undefined) return blocks(lines, depth + 1);
  return html`${inline(lines[0])}${rest.length > 0 && blocks(rest, depth + 1)}`;
}

function paragraph(lines: readonly string[], at: number, depth: number): { part: Html; next: number } {
  let end = at + 1;
  while (end < lines.length && isPlain(lines[end] as string, depth)) end++;
  const text = lines.slice(at, end).map((line) => line.trim());
  return { part: html`<p>${inline(text.join('\n'))}</p>`, next: end };
}

function isPlain(line: string, depth: number): boolean {
  if (line.trim() === '' || /^ {0,3}(?:#{1,6}(?: |$)|`{3}|~{3})/.test(line) || isRule(line)) return false;
  return depth >= deepest || !(/^ {0,3}>/.test(line) || itemPattern.test(line));
}

/** Code, links, addresses, strong, emphasis; the first that fits counts. No part can match in two ways, so that none is tried again. */
const inlinePattern =
  /(?<ticks>`+)|\\(?<escaped>[!-/:-@[-`{-~])|!?\[(?<label>[^[\]\n]{0,500})\]\((?<target>[^()\s<>]{1,2000})\)|(?<address>https?:\/\/[^\s<>()"'`*]{1,2000})|\*\*(?<strong>[^*\n]{1,1000})\*\*|(?<![\w*])[*_](?<weak>[^*_\s][^*_\n]{0,1000})[*_](?![\w*])/g;

function inline(text: string): Html {
  const parts: (Html | string)[] = [];
  let last = 0;
  const add = (start: number, end: number, part: Html | string): void => {
    parts.push(text.slice(last, start), part);
    last = end;
  };
  // Where a run of so many ticks was not closed, none of the same length is looked for again.
  const unclosed = new Set<number>();
  const pattern = new RegExp(inlinePattern);
  for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
    const { ticks, escaped, label, target, address, strong, weak } = match.groups ?? {};
    let end = match.index + match[0].length;
    if (ticks !== undefined) {
      const close = unclosed.has(ticks.length) ? -1 : closingTicks(text, end, ticks.length);
      if (close < 0) {
        unclosed.add(ticks.length);
        continue;
      }
      add(match.index, close + ticks.length, html`<code>${text.slice(end, close).trim()}</code>`);
      end = close + ticks.length;
    } else if (escaped !== undefined) add(match.index, end, escaped);
    else if (label !== undefined && target !== undefined) add(match.index, end, link(label, target) ?? match[0]);
    else if (address !== undefined) {
      const bare = address.replace(/[.,;:!?]+$/, '');
      end = match.index + bare.length;
      add(match.index, end, link(bare, bare) ?? bare);
    } else if (strong !== undefined) add(match.index, end, html`<strong>${inline(strong)}</strong>`);
    else if (weak !== undefined) add(match.index, end, html`<em>${inline(weak)}</em>`);
    pattern.lastIndex = end;
  }
  parts.push(text.slice(last));
  return html`${parts}`;
}

function closingTicks(text: string, from: number, length: number): number {
  const runs = /`+/g;
  runs.lastIndex = from;
  for (let run = runs.exec(text); run; run = runs.exec(text)) if (run[0].length === length) return run.index;
  return -1;
}

/** Null: an address of another kind. */
function link(label: string, target: string): Html | null {
  if (!/^https?:\/\//i.test(target) || !URL.canParse(target)) return null;
  return html`<a href="${target}" rel="nofollow ugc noopener noreferrer">${label.replaceAll('`', '') || target}</a>`;
}
