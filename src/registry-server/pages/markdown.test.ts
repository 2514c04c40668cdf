import { expect, test } from 'bun:test';
import { renderMarkdown } from './markdown.ts';

const rel = 'rel="nofollow ugc noopener noreferrer"';

test.each([
  ['# Title #\ntext\nmore', '<h3>Title</h3><p>text\nmore</p>'],
  ['##### deep', '<h6>deep</h6>'],
  ['#no heading', '<p>#no heading</p>'],
  ['one\n\n\ntwo', '<p>one</p><p>two</p>'],
  [
    '```sh\n$ docker run <image>\n\n# no\n```\nafter',
    '<pre tabindex="0"><code>$ docker run &lt;image&gt;\n\n# no</code></pre><p>after</p>',
  ],
  ['~~~\nopen', '<pre tabindex="0"><code>open</code></pre>'],
  ['    indented\n\n    code', '<pre tabindex="0"><code>indented\n\ncode</code></pre>'],
  ['- a\n- b\n  - c\n\ntext', '<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul><p>text</p>'],
  ['1. a\n2. b', '<ol><li>a</li><li>b</li></ol>'],
  ['- a\n\n  more', '<ul><li><p>a</p><p>more</p></li></ul>'],
  ['- a\n1. b', '<ul><li>a</li></ul><ol><li>b</li></ol>'],
  ['> said\n> # so', '<blockquote><p>said</p><h3>so</h3></blockquote>'],
  ['---', '<hr>'],
  ['a `b <c>` and ``d ` e``', '<p>a <code>b &lt;c&gt;</code> and <code>d ` e</code></p>'],
  [
    '**bold** and *it* and _it_, snake_case_name',
    '<p><strong>bold</strong> and <em>it</em> and <em>it</em>, snake_case_name</p>',
  ],
  ['\\*no\\*', '<p>*no*</p>'],
  ['[site](https://x.y/?a=1&b=2)', `<p><a href="https://x.y/?a=1&amp;b=2" ${rel}>site</a></p>`],
  ['see https://x.y/z.', `<p>see <a href="https://x.y/z" ${rel}>https://x.y/z</a>.</p>`],
  ['![logo](https://x.y/l.png)', `<p><a href="https://x.y/l.png" ${rel}>logo</a></p>`],
  ['[![logo](https://x.y/l.png)](https://x.y)', `<p><a href="https://x.y" ${rel}>logo</a></p>`],
  ['|a|\n|-|\n|<b>|', '<table><thead><tr><th>a</th></tr></thead><tbody><tr><td>&lt;b&gt;</td></tr></tbody></table>'],
  [`${'> '.repeat(30)}deep`, `<pre tabindex="0">${'&gt; '.repeat(30)}deep</pre>`],
  ['a\r\nb', '<p>a\nb</p>'],
])('%j', (text, shown) => {
  expect(renderMarkdown(text).text).toBe(shown);
});

test.each([
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '[x](javascript:alert(1))',
  '[x](JaVaScRiPt:alert)',
  '[x](data:text/html,x)',
  '[x](//evil.example)',
  '[x](https://a"onmouseover="x)',
  "[x](https://a'><script>)",
  '**<b>**',
  '`</code><script>`',
  '```\n</code></pre><script>\n```',
  '# <script>',
  '- <script>',
  '> <script>',
  '[<script>](https://x.y)',
])('nothing of %j gets through', (text) => {
  const shown = renderMarkdown(text).text.replace(
    /<\/?(?:p|pre tabindex="0"|pre|code|h3|ul|li|blockquote|strong|a)>/g,
    '',
  );
  const bare = shown.replace(/<a href="https?:\/\/[^"<>]*" rel="[a-z ]*">/g, '');
  expect(bare).not.toMatch(/[<>]/);
  expect(shown).not.toMatch(/href="(?!https?:)/);
});

// A parser whose time grows with the square takes minutes; the test's own deadline is for that.
test('a hostile text takes no longer than a plain one', () => {
  const length = 64 * 1024;
  const seeds = [
    '`',
    '[',
    '![',
    '*',
    '**',
    '_',
    '> ',
    '- ',
    '[a](',
    '\\',
    '    ',
    '*a ',
    '``` ',
    '`a``',
    'http://',
    '- a\n',
    '>\n\n',
    '_a',
    '1. ',
    '#',
  ];
  for (const seed of seeds) {
    const text = seed.repeat(length / seed.length);
    expect(renderMarkdown(text).text.length).toBeLessThan(20 * length);
  }
});

test('cells that nobody wrote, and addresses named again and again, do not fill the memory', () => {
  const rows = `|${'a|'.repeat(128)}\n|${'-|'.repeat(128)}\n${'|\n'.repeat(30_000)}`;
  expect(renderMarkdown(rows).text).toStartWith('<pre tabindex="0">|a|a|');
  const named = `[x]: http://${'a'.repeat(32_768)}\n\n${'[x] '.repeat(8_000)}`;
  expect(renderMarkdown(named).text.length).toBeLessThan(2_000_000);
  expect(renderMarkdown('after').text).toBe('<p>after</p>');
});
