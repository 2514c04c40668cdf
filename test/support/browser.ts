/** A browser without a window: cookies, pages taken apart, forms filled in. What it is given must be well-formed. */

export interface Form {
  action: string;
  method: string;
  /** What it would send as it stands, without its buttons. */
  fields: Record<string, string>;
  /** `name=value` of the buttons that have a name. */
  buttons: string[];
}

export class WebPage {
  readonly path: string;
  readonly status: number;
  readonly headers: Headers;
  readonly html: string;
  /** What people read, spaces folded. */
  text = '';
  title = '';
  /** Targets of links. */
  readonly links: string[] = [];
  readonly forms: Form[] = [];

  private constructor(path: string, response: Response, html: string) {
    this.path = path;
    this.status = response.status;
    this.headers = response.headers;
    this.html = html;
  }

  static async of(path: string, response: Response): Promise<WebPage> {
    const page = new WebPage(path, response, await response.text());
    page.#read();
    return page;
  }

  /** The form that goes to an address. Error: there is none. */
  form(action: string): Form {
    const form = this.forms.find((known) => known.action === action);
    if (!form) throw new Error(`${this.path} (${this.status}) has no form to ${action}: ${this.text}`);
    return form;
  }

  #read(): void {
    let form: Form | null = null;
    let inTitle = false;
    let select = '';
    const parts: string[] = [];
    new HTMLRewriter()
      .on('title', {
        element: (element) => {
          inTitle = true;
          element.onEndTag(() => {
            inTitle = false;
          });
        },
      })
      .on('h1, h2, h3, h4, p, li, dt, dd, th, td, pre, option, div', { element: () => void parts.push(' ') })
      .on('a[href]', { element: (element) => void this.links.push(decode(element.getAttribute('href') ?? '')) })
      .on('form', {
        element: (element) => {
          const action = decode(element.getAttribute('action') ?? '');
          form = { action, method: element.getAttribute('method') ?? 'get', fields: {}, buttons: [] };
          this.forms.push(form);
        },
      })
      .on('input[name]', {
        element: (element) => {
          if (element.getAttribute('type') === 'checkbox' && !element.hasAttribute('checked')) return;
          if (form) form.fields[element.getAttribute('name') ?? ''] = decode(element.getAttribute('value') ?? '');
        },
      })
      .on('textarea[name]', {
        element: (element) => {
          select = element.getAttribute('name') ?? '';
          if (form) form.fields[select] = '';
        },
        text: ({ text }) => {
          if (form) form.fields[select] += decode(text);
        },
      })
      .on('select[name]', {
        element: (element) => {
          select = element.getAttribute('name') ?? '';
        },
      })
      .on('option', {
        element: (element) => {
          if (form) form.fields[select] ??= decode(element.getAttribute('value') ?? '');
        },
      })
      .on('button[name]', {
        element: (element) =>
          void form?.buttons.push(`${element.getAttribute('name')}=${decode(element.getAttribute('value') ?? '')}`),
      })
      .onDocument({
        text: ({ text }) => {
          if (inTitle) this.title += decode(text);
          parts.push(text);
        },
      })
      .transform(this.html);
    // A browser drops the line end behind the tag.
    for (const { fields } of this.forms)
      for (const name of Object.keys(fields)) fields[name] = (fields[name] ?? '').replace(/^\n/, '');
    this.text = decode(parts.join('')).replace(/\s+/g, ' ').trim();
  }
}

const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };

function decode(text: string): string {
  return text.replace(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => entities[name] as string);
}

export class Browser {
  readonly #origin: string;
  readonly #headers: Record<string, string>;
  readonly cookies = new Map<string, string>();
  /** Of the last answers, with their attributes. */
  readonly setCookies: string[] = [];

  constructor(origin: string, headers: Record<string, string> = {}) {
    this.#origin = origin;
    this.#headers = headers;
  }

  async get(path: string): Promise<WebPage> {
    return this.#request(path, { method: 'GET' });
  }

  /** Sends a form of the page as a person would. @param values to fill in, or of the button that is pressed */
  async submit(page: WebPage, action: string, values: Record<string, string> = {}): Promise<WebPage> {
    return this.post(action, { ...page.form(action).fields, ...values });
  }

  async post(path: string, fields: Record<string, string>): Promise<WebPage> {
    return this.#request(path, { method: 'POST', body: new URLSearchParams(fields) });
  }

  async signIn(name: string, password: string): Promise<WebPage> {
    return this.submit(await this.get('/sign-in'), '/sign-in', { name, password });
  }

  async #request(path: string, init: RequestInit, redirects = 5): Promise<WebPage> {
    const cookie = [...this.cookies].map((pair) => pair.join('=')).join('; ');
    const headers = { accept: 'text/html', ...(cookie && { cookie }), ...this.#headers };
    const response = await fetch(new URL(path, this.#origin), {
      ...{ ...init, headers, redirect: 'manual', tls: { rejectUnauthorized: false } },
    });
    for (const line of response.headers.getSetCookie()) {
      this.setCookies.push(line);
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      this.cookies.set(name, value);
    }
    const location = response.headers.get('location');
    if (response.status !== 303 || location === null || redirects === 0) return WebPage.of(path, response);
    return this.#request(location, { method: 'GET' }, redirects - 1);
  }
}

const empty = new Set(['meta', 'link', 'input', 'hr', 'br', 'img']);

/** What is wrong with a page's HTML: open or crossing tags, attributes without quotes, ids given twice, fields without a label. */
export function htmlProblems(html: string): string[] {
  const problems: string[] = [];
  const open: string[] = [];
  const tag = /<(?:!doctype html|(\/?)([a-z][a-z0-9]*)((?:\s+[a-z-]+(?:="[^"<>]*")?)*)\s*)>|<|>/g;
  for (const [text, closing, name, attributes = ''] of html.matchAll(tag)) {
    if (text === '<' || text === '>') problems.push(`a bare ${text}`);
    else if (name === undefined) continue;
    else if (closing === '') {
      if (/\s(?:on[a-z]+|style)=/.test(attributes.replace(/"[^"]*"/g, '""')) || name === 'script' || name === 'style')
        problems.push(`inline: ${text}`);
      if (!empty.has(name)) open.push(name);
    } else if (open.pop() !== name) problems.push(`</${name}> closes nothing`);
  }
  if (open.length > 0) problems.push(`open at the end: ${open}`);
  const ids = [...html.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
  if (new Set(ids).size < ids.length) problems.push(`ids given twice: ${ids}`);
  for (const [text] of html.matchAll(/<(?:input|select|textarea)\b[^>]*>/g)) {
    if (/type="(?:hidden|checkbox)"| hidden>/.test(text)) continue;
    const id = / id="([^"]*)"/.exec(text)?.[1];
    if (!id || (!html.includes(`<label for="${id}"`) && !html.includes(`for="${id}">`)))
      problems.push(`no label: ${text}`);
  }
  if ([...html.matchAll(/<h1\b/g)].length !== 1) problems.push('not one h1');
  return problems;
}
