import { describe, expect, test } from 'bun:test';
import { compileTemplate, unescapeFormat } from './execute.ts';

const value = {
  Name: 'web',
  Count: 3,
  Zero: 0,
  Big: 18446744073709551615n,
  Half: 0.5,
  Yes: true,
  Empty: '',
  Null: null,
  List: ['a', 'b', 'c'],
  None: [],
  Map: { b: 2, a: 1 },
  Ports: { '80/tcp': [{ HostPort: '8080' }], '81/tcp': null },
  Deep: { Deeper: { Deepest: 'x' } },
  Greet: (name: string) => `hello ${name}`,
};

const run = (source: string): string => compileTemplate(source).execute(value);

describe('values', () => {
  test.each([
    ['{{.Name}}', 'web'],
    ['{{ .Count }} {{.Half}} {{.Big}} {{.Yes}}', '3 0.5 18446744073709551615 true'],
    ['{{.List}} {{.None}} {{.Map}}', '[a b c] [] map[a:1 b:2]'],
    ['{{.Null}}', '<no value>'],
    ['{{.Deep.Deeper.Deepest}}', 'x'],
    ['{{.Deep}}', 'map[Deeper:map[Deepest:x]]'],
    ['{{.Greet "you"}}', 'hello you'],
    ['{{"you" | .Greet}}', 'hello you'],
    ['{{"a\\tb"}}{{`\\n`}}', 'a\tb\\n'],
    ['{{42}}{{-7}}{{1.5}}{{true}}', '42-71.5true'],
    ["{{'a'}}", '97'],
    ['{{(index .List 1)}}', 'b'],
    ['{{(index .Ports "80/tcp" 0).HostPort}}', '8080'],
    ['a{{/* nothing */}}b', 'ab'],
    ['a {{- .Name -}} b', 'awebb'],
    ['{{"}}"}}', '}}'],
  ])('%p', (source, expected) => {
    expect(run(source)).toBe(expected);
  });
});

describe('blocks', () => {
  test.each([
    ['{{if .Yes}}y{{else}}n{{end}}', 'y'],
    ['{{if .Zero}}y{{else}}n{{end}}', 'n'],
    ['{{if .Empty}}a{{else if .None}}b{{else if .Name}}c{{else}}d{{end}}', 'c'],
    ['{{if not .Null}}none{{end}}', 'none'],
    ['{{range .List}}<{{.}}>{{end}}', '<a><b><c>'],
    ['{{range $i, $v := .List}}{{$i}}={{$v}} {{end}}', '0=a 1=b 2=c '],
    ['{{range $k, $v := .Map}}{{$k}}={{$v}} {{end}}', 'a=1 b=2 '],
    ['{{range .None}}x{{else}}empty{{end}}', 'empty'],
    ['{{range .List}}{{if eq . "b"}}{{continue}}{{end}}{{.}}{{end}}', 'ac'],
    ['{{range .List}}{{if eq . "b"}}{{break}}{{end}}{{.}}{{end}}', 'a'],
    ['{{with .Deep}}{{.Deeper.Deepest}}{{end}}', 'x'],
    ['{{with .Empty}}x{{else}}{{.Name}}{{end}}', 'web'],
    ['{{with $x := .Name}}{{$x}}{{$.Count}}{{end}}', 'web3'],
    ['{{$x := 1}}{{if .Yes}}{{$x = 2}}{{end}}{{$x}}', '2'],
    ['{{range $p, $b := .Ports}}{{$p}}{{range $b}}->{{.HostPort}}{{end}} {{end}}', '80/tcp->8080 81/tcp '],
    ['{{range 3}}{{.}}{{end}}', '012'],
  ])('%p', (source, expected) => {
    expect(run(source)).toBe(expected);
  });
});

describe('templates in a template', () => {
  test.each([
    ['{{define "x"}}[{{.}}]{{end}}{{template "x" .Name}}', '[web]'],
    ['{{template "x"}}{{define "x"}}{{.}}late{{end}}', '<no value>late'],
    ['{{block "x" .Name}}<{{.}}>{{end}}{{template "x" .Count}}', '<web><3>'],
    ['{{define "x"}}{{$}}{{end}}{{$v := 1}}{{template "x" .Name}}{{$v}}', 'web1'],
    ['{{define "x"}}{{range 3}}{{if .}}{{break}}{{end}}{{.}}{{end}}{{end}}{{template "x"}}', '0'],
    ['{{with .Empty}}a{{else with .Name}}{{.}}{{end}}', 'web'],
    ['{{range 4}}{{if eq . 1}}{{continue}}{{end}}{{.}}{{end}}', '023'],
  ])('%p', (source, expected) => {
    expect(run(source)).toBe(expected);
  });
});

describe('functions', () => {
  test.each([
    ['{{json .Map}}', '{"b":2,"a":1}'],
    ['{{json .Big}}', '18446744073709551615'],
    ['{{json .Null}}', 'null'],
    ['{{json "<&>"}}', '"<&>"'],
    ['{{join .List ", "}}', 'a, b, c'],
    ['{{split "a:b" ":"}}', '[a b]'],
    ['{{index (split "a:b" ":") 1}}', 'b'],
    ['{{upper .Name}}{{lower "ABC"}}{{title "one two"}}', 'WEBabcOne Two'],
    ['{{truncate "abcdef" 3}}|{{truncate "ab" 3}}', 'abc|ab'],
    ['{{pad "x" 1 2}}|', ' x  |'],
    ['{{println "a" 1}}', 'a 1\n'],
    ['{{print 1 2 "x" 3}}', '1 2x3'],
    ['{{len .List}}{{len .Map}}{{len "äb"}}', '323'],
    ['{{slice "abcdef" 1 3}}{{slice .List 1}}', 'bc[b c]'],
    [
      '{{printf "%-5s|%5d|%05.1f|%q|%v|%t|%x|%%" "ab" 42 3.14159 "q" .List true 255}}',
      'ab   |   42|003.1|"q"|[a b c]|true|ff|%',
    ],
    ['{{printf "%s" 1}}', '%!s(int=1)'],
    ['{{printf "%d %d" 1}}', '1 %!d(MISSING)'],
    [
      '{{eq 1 1}}{{eq "a" "b" "a"}}{{ne 1 2}}{{lt 1 2}}{{le 2 2}}{{gt "b" "a"}}{{ge 1 2}}',
      'truetruetruetruetruetruefalse',
    ],
    ['{{and .Yes .Name}}{{and .Zero .Name}}{{or .Empty .Name}}{{or .Zero .Empty}}', 'web0web'],
    ['{{and .Zero (index .List 99)}}', '0'],
    ['{{index .Map "nope"}}', ''],
    ['{{html "<a>"}}{{urlquery "a b&c"}}', '&lt;a&gt;a+b%26c'],
  ])('%p', (source, expected) => {
    expect(run(source)).toBe(expected);
  });
});

describe('errors in the words of Go', () => {
  test.each([
    ['{{.ID', 'template: :1: unclosed action'],
    ['{{nope .Name}}', 'template: :1: function "nope" not defined'],
    ['{{if .Name}}x', 'unexpected EOF'],
    ['{{end}}', 'unexpected {{end}}'],
    ['{{.Name | }}', 'missing value for command'],
    ['{{(.Name}}', 'unclosed left paren'],
    ['{{.Nope}}', 'template: :1:2: executing "" at <.Nope>: map has no entry for key "Nope"'],
    ['ab {{ .Nope }}', 'template: :1:6: executing "" at <.Nope>'],
    ['{{.Deep.Nope.More}}', 'template: :1:7: executing "" at <.Deep.Nope.More>: map has no entry for key "Nope"'],
    ['{{.Null.X}}', 'nil pointer evaluating interface {}.X'],
    ['{{.Name.X}}', "can't evaluate field X in type string"],
    ['{{index .List 9}}', 'error calling index: index out of range: 9'],
    ['{{$nope}}', 'undefined variable "$nope"'],
    ['{{upper 1}}', 'error calling upper'],
    ['{{template "x" .Name}}', 'template: :1:11: executing "" at <{{template "x" .Name}}>: template "x" not defined'],
    ['{{define "x"}}{{.Nope}}{{end}}{{template "x" .}}', 'executing "x" at <.Nope>: map has no entry'],
    ['{{define "x"}}{{template "x" .}}{{end}}{{template "x" .}}', 'exceeded maximum template depth (1000)'],
    ['{{define "x"}}a{{end}}{{define "x"}}b{{end}}', ':1: template: multiple definition of template "x"'],
    ['{{if 1}}{{define "x"}}{{end}}{{end}}', ':1: unexpected <define> in command'],
    ['{{define x}}{{end}}', ':1: unexpected "x" in define clause'],
    ['{{define "x" 1}}{{end}}', ':1: unexpected "1" in define clause'],
    ['{{template}}', ':1: unexpected "}}" in template clause'],
    ['{{block "x"}}{{end}}', ':1: missing value for block clause'],
    ['{{block "x" .}}', ':1: unexpected EOF'],
    ['{{$v := 1}}{{define "x"}}{{$v}}{{end}}', ':1: undefined variable "$v"'],
    ['{{if 1}}{{$v := 1}}{{end}}{{$v}}', ':1: undefined variable "$v"'],
    ['{{break}}', ':1: {{break}} outside {{range}}'],
    ['{{range 2}}{{else}}{{continue}}{{end}}', ':1: {{continue}} outside {{range}}'],
    ['{{range 2}}{{block "z" .}}{{break}}{{end}}{{end}}', ':1: {{break}} outside {{range}}'],
    ['{{range 2}}{{break 1}}{{end}}', ':1: unexpected "1" in {{break}}'],
    ['{{if .Empty}}a{{else with .Name}}{{end}}', ':1: unexpected <with> in input'],
    ['{{with .Empty}}a{{else if .Name}}{{end}}', ':1: unexpected <if> in input'],
    ['{{if 1}}a{{else}}b{{else}}c{{end}}', ':1: expected end; found {{else}}'],
    ['{{if}}{{end}}', ':1: missing value for if'],
    ['{{call .Name}}', ':1:2: executing "" at <call .Name>: error calling call: non-function .Name of type string'],
    ['{{.Name | call}}', ':1:10: executing "" at <call>: error calling call: non-function web of type string'],
    ['{{call}}', 'wrong number of args for call: want at least 1 got 0'],
    ['{{call nil}}', 'error calling call: call of nil'],
    ['{{.constructor}}', 'map has no entry for key "constructor"'],
    ['{{.__proto__}}', 'map has no entry for key "__proto__"'],
  ])('%p', (source, message) => {
    expect(() => run(source)).toThrow(message);
  });
});

test('the escapes of --format', () => {
  expect(unescapeFormat('a\\tb\\n')).toBe('a\tb\n');
});
