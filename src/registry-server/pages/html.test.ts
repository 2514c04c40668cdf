import { expect, test } from 'bun:test';
import { html } from './html.ts';

test('what goes in is escaped, in texts and attributes', () => {
  const hostile = `"><script>alert('x')</script>&\0`;
  const safe = '&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;\ufffd';
  expect(html`<p title="${hostile}">${hostile}</p>`.text).toBe(`<p title="${safe}">${safe}</p>`);
});

test('HTML stays, lists are joined, nothing is nothing', () => {
  expect(html`<ul>${['a<', 'b'].map((item) => html`<li>${item}</li>`)}</ul>`.text).toBe(
    '<ul><li>a&lt;</li><li>b</li></ul>',
  );
  expect(html`${null}${undefined}${false}${0}${''}`.text).toBe('0');
});
