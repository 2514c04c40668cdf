/** What a target takes from outside: arguments, secrets, agents. */
import type { DockerfileLines, Outline, OutlineArgument, OutlineMount } from '../../../api/types/build.ts';
import type { ExecDefinition } from '../../graph/operations.ts';
import { inOrder, type Vertex } from '../../graph/vertex.ts';
import type { ArgInstruction } from '../instruction.ts';
import type { ShellLexer } from '../shell-words.ts';
import type { Stage } from './stages.ts';

export interface OutlineSource {
  target: Stage;
  /** The target and what it needs, each with its arguments' values. */
  stages: readonly { stage: Stage; values: ReadonlyMap<string, string | undefined> }[];
  root: Vertex;
  /** ARGs before the first FROM, and all that is known there. */
  globals: readonly ArgInstruction[];
  values: ReadonlyMap<string, string>;
  /** Given for this build. */
  given: ReadonlyMap<string, string>;
  lexer: ShellLexer;
}

/** The comment above something, that begins with its name, without it. */
export function describedBy(comments: readonly string[], name: string): string {
  const found = name === '' ? undefined : comments.find((comment) => comment.startsWith(`${name} `));
  return found?.slice(name.length + 1) ?? '';
}

export function outlineOf(source: OutlineSource): Outline {
  const { target, root } = source;
  return {
    name: target.name,
    description: describedBy(target.from.comments, target.name),
    arguments: argumentsOf(source),
    ...mountsOf(root),
  };
}

function argumentsOf(source: OutlineSource): OutlineArgument[] {
  const globals = globalArguments(source);
  const found = new Map<string, OutlineArgument>();
  const useGlobal = (name: string): void => {
    const known = globals.get(name);
    if (!known || found.has(name)) return;
    found.set(name, known.argument);
    for (const other of known.uses) useGlobal(other);
  };
  for (const { stage, values } of source.stages) {
    for (const word of [stage.from.base, stage.from.platform])
      for (const name of usesOf(source.lexer, word, source.values)) useGlobal(name);
    for (const instruction of stage.instructions) {
      if (instruction.kind !== 'arg') continue;
      for (const { name, value } of instruction.pairs) {
        const isInherited = value === null && !source.given.has(name) && source.values.has(name);
        if (isInherited) useGlobal(name);
        else if (!found.has(name)) found.set(name, described(instruction, name, values.get(name)));
      }
    }
  }
  return [...found.values()].sort((one, other) => one.lines.first - other.lines.first);
}

function described(instruction: ArgInstruction, name: string, value: string | undefined): OutlineArgument {
  const { first, last } = instruction.range;
  return { name, description: describedBy(instruction.comments, name), value: value ?? '', lines: { first, last } };
}

function globalArguments({
  globals,
  given,
  values,
  lexer,
}: OutlineSource): Map<string, { argument: OutlineArgument; uses: string[] }> {
  const found = new Map<string, { argument: OutlineArgument; uses: string[] }>();
  for (const instruction of globals)
    for (const { name, value } of instruction.pairs)
      found.set(name, {
        argument: described(instruction, name, values.get(name)),
        uses: given.has(name) ? [] : usesOf(lexer, value ?? '', values).filter((other) => other !== name),
      });
  return found;
}

function usesOf(lexer: ShellLexer, word: string, values: ReadonlyMap<string, string>): string[] {
  const { set, unset } = lexer.expand(word, values);
  return [...set, ...unset];
}

function mountsOf(root: Vertex): { secrets: OutlineMount[]; ssh: OutlineMount[] } {
  const found = { secret: new Map<string, OutlineMount>(), ssh: new Map<string, OutlineMount>() };
  for (const { kind, definition, label } of inOrder([root])) {
    if (kind !== 'exec') continue;
    const lines: DockerfileLines = { first: label.lines?.first ?? 0, last: label.lines?.last ?? 0 };
    for (const mount of (definition as unknown as ExecDefinition).mounts) {
      if (mount.type !== 'secret' && mount.type !== 'ssh') continue;
      const { id, required } = mount;
      if (!found[mount.type].has(id)) found[mount.type].set(id, { name: id, required, lines });
    }
  }
  const byLine = (mounts: Iterable<OutlineMount>): OutlineMount[] =>
    [...mounts].sort((one, other) => one.lines.first - other.lines.first);
  return { secrets: byLine(found.secret.values()), ssh: byLine(found.ssh.values()) };
}
