/** The one stylesheet and the icon. Their names change with what is in them, so that browsers may keep them for ever. */
import { createHash } from 'node:crypto';

export const style = `
:root {
  color-scheme: light dark;
  --page: #f5f7f9; --box: #fff; --text: #16202b; --soft: #4e5d6c; --line: #d5dce3; --accent: #0a5a9c; --on-accent: #fff;
  --code: #eef2f5; --bad: #a3231b; --bad-box: #fdeceb; --good: #17603a; --good-box: #e8f6ee; --bar: #0c2d48; --on-bar: #f4f8fb;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0f151b; --box: #182028; --text: #e4eaf0; --soft: #a3b1bf; --line: #34414e; --accent: #7fbdf5; --on-accent: #08131d;
    --code: #222d38; --bad: #ff9d95; --bad-box: #3b1d1b; --good: #86dba9; --good-box: #16301f; --bar: #0a1b2a; --on-bar: #e4eef7;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
a { color: var(--accent); }
a:hover { text-decoration-thickness: 2px; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.skip { position: absolute; left: -100rem; background: var(--box); padding: .5rem 1rem; z-index: 1; }
.skip:focus { left: .5rem; top: .5rem; }
.top { display: flex; flex-wrap: wrap; gap: .6rem 1.2rem; align-items: center; padding: .7rem max(1rem, calc(50vw - 32rem)); background: var(--bar); color: var(--on-bar); }
.top a, .top button.link { color: var(--on-bar); }
.top :focus-visible { outline-color: var(--on-bar); }
.brand { font-weight: 700; font-size: 1.1rem; text-decoration: none; overflow-wrap: anywhere; }
.brand::before { content: ""; display: inline-block; width: 1.1em; height: 1.1em; margin-right: .45em; vertical-align: -.2em; background: url(/favicon.svg) center/contain no-repeat; }
.search { display: flex; flex: 1 1 14rem; gap: .4rem; }
.search input { flex: 1; min-width: 0; }
.top .search button { background: transparent; color: var(--on-bar); border-color: var(--on-bar); }
.top nav { display: flex; flex-wrap: wrap; gap: .4rem 1rem; align-items: center; }
.top a.button { border: 1px solid var(--on-bar); border-radius: .4rem; padding: .3rem .7rem; text-decoration: none; }
main { max-width: 66rem; margin: 0 auto; padding: 1.2rem 1rem 3rem; }
footer { padding: 1.2rem 1rem; text-align: center; color: var(--soft); font-size: .9rem; border-top: 1px solid var(--line); }
h1 { font-size: 1.6rem; line-height: 1.25; margin: .2rem 0 .6rem; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 2rem 0 .7rem; }
h3 { font-size: 1.05rem; margin: 1.2rem 0 .5rem; }
p { margin: .5rem 0; }
code, pre, .mono { font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: .9em; }
code { background: var(--code); border-radius: .25rem; padding: .1em .3em; overflow-wrap: anywhere; }
pre { background: var(--code); border: 1px solid var(--line); border-radius: .4rem; padding: .7rem .9rem; overflow-x: auto; margin: .5rem 0; }
pre code { background: none; padding: 0; overflow-wrap: normal; }
.command { user-select: all; -webkit-user-select: all; padding: .45rem .7rem; }
.command code::before { content: "$ "; color: var(--soft); user-select: none; }
input, select, textarea, button { font: inherit; color: var(--text); background: var(--box); border: 1px solid var(--soft); border-radius: .4rem; padding: .4rem .6rem; max-width: 100%; }
::placeholder { color: var(--soft); opacity: 1; }
textarea { width: 100%; min-height: 18rem; font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: .9rem; }
button, a.action { display: inline-block; background: var(--accent); color: var(--on-accent); border: 1px solid var(--accent); border-radius: .4rem; padding: .4rem .9rem; font-weight: 600; text-decoration: none; cursor: pointer; }
button.quiet, a.action.quiet { background: var(--box); color: var(--accent); border-color: var(--accent); }
button.bad, a.action.bad { background: var(--box); color: var(--bad); border-color: var(--bad); }
button.link { color: var(--accent); background: none; border: 0; padding: 0; font-weight: 400; text-decoration: underline; }
form { margin: 0; }
.box { background: var(--box); border: 1px solid var(--line); border-radius: .6rem; padding: 1rem 1.2rem; margin: 1rem 0; }
.narrow { max-width: 26rem; margin: 1rem auto; }
.field { margin: 0 0 1rem; }
.field label, fieldset legend { display: block; font-weight: 600; margin-bottom: .25rem; }
.field input:not([type=checkbox]), .field select { width: 100%; }
.hint, .soft { color: var(--soft); font-size: .9rem; }
.notice { border-radius: .4rem; padding: .6rem .9rem; border: 1px solid; }
.notice.error { color: var(--bad); background: var(--bad-box); }
.notice.done { color: var(--good); background: var(--good-box); }
.row { display: flex; flex-wrap: wrap; gap: .6rem 1rem; align-items: center; }
.row.spread { justify-content: space-between; }
.row.spread > h2 { margin-bottom: 0; }
.row.spread:has(> h2) { align-items: end; }
.box > :first-child, .box > section:first-child > h2, .box > h2:first-child { margin-top: 0; }
.box > :last-child { margin-bottom: 0; }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); gap: 0 2rem; }
.cards { list-style: none; padding: 0; margin: .7rem 0; display: grid; gap: .7rem; }
.cards > li { background: var(--box); border: 1px solid var(--line); border-radius: .6rem; padding: .8rem 1rem; min-width: 0; }
.cards p { margin: .25rem 0; overflow-wrap: anywhere; }
.name { font-weight: 650; font-size: 1.05rem; overflow-wrap: anywhere; }
.facts { color: var(--soft); font-size: .9rem; display: flex; flex-wrap: wrap; gap: .1rem 1rem; }
.badge { display: inline-block; font-size: .8rem; font-weight: 600; border: 1px solid var(--soft); color: var(--soft); border-radius: 1rem; padding: 0 .6rem; vertical-align: middle; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0; }
th, td { text-align: left; padding: .35rem .8rem .35rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { color: var(--soft); font-size: .85rem; font-weight: 600; }
td.number, th.number { text-align: right; white-space: nowrap; }
td:last-child, th:last-child { padding-right: 0; }
tr:last-child td { border-bottom: 0; }
dl.pairs { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1.2rem; margin: .5rem 0; }
dl.pairs dt { color: var(--soft); }
dl.pairs dd { margin: 0; overflow-wrap: anywhere; min-width: 0; }
.plain { list-style: none; margin: 0; }
.plain:not(.box) { padding: 0; }
.history { counter-reset: step; }
.history li { counter-increment: step; display: grid; grid-template-columns: 2rem 1fr max-content; gap: .2rem .6rem; padding: .4rem 0; border-bottom: 1px solid var(--line); }
.history li::before { content: counter(step); color: var(--soft); text-align: right; }
.history code { background: none; padding: 0; white-space: pre-wrap; overflow-wrap: anywhere; min-width: 0; }
.history .empty { color: var(--soft); }
.about { overflow-wrap: anywhere; overflow-x: auto; }
.about > :first-child { margin-top: 0; }
blockquote { margin: .5rem 0; padding-left: 1rem; border-left: 4px solid var(--line); color: var(--soft); }
hr { border: 0; border-top: 1px solid var(--line); margin: 1.5rem 0; }
.pager { display: flex; gap: 1rem; justify-content: center; margin: 1.2rem 0; }
.pager [aria-disabled] { color: var(--soft); }
@media (max-width: 34rem) {
  dl.pairs { grid-template-columns: 1fr; gap: 0; }
  dl.pairs dd { margin-bottom: .5rem; }
  .history li { grid-template-columns: 2rem 1fr; }
  .history .number { grid-column: 2; }
}
`;

/** A berth: a container between two bollards. */
export const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#1d78c1"/><path fill="#fff" d="M8 9h16v9H8zM5 21h22v3H5z"/><path stroke="#1d78c1" stroke-width="1.6" d="M12 11v5M16 11v5M20 11v5"/></svg>`;

export const stylePath = `/style-${createHash('sha256').update(style).digest('hex').slice(0, 12)}.css`;
