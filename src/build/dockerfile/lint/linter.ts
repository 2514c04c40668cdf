import type { SourceRange } from '../source-error.ts';
import { type CheckOptions, parseCheckOptions } from './check-options.ts';
import { type RuleName, ruleAddress, rules } from './rules.ts';

export interface LintWarning {
  rule: RuleName;
  description: string;
  /** A page about the rule. */
  url: string;
  detail: string;
  range: SourceRange;
}

/** Hears what is not good about a Dockerfile and keeps what its author wants to know. */
export class Linter {
  readonly warnings: LintWarning[] = [];
  readonly #options: CheckOptions;

  /** @param check what the directive `check` says. Error: `invalid` */
  constructor(check = '') {
    this.#options = parseCheckOptions(check);
  }

  /** @param words what the rule's sentence is about */
  warn(rule: RuleName, range: SourceRange, ...words: string[]): void {
    const { description, says, experimental } = rules[rule];
    const { skip, experimental: wanted } = this.#options;
    if (experimental ? !covers(wanted, rule) : covers(skip, rule)) return;
    this.warnings.push({ rule, description, url: ruleAddress(rule), detail: says(...words), range });
  }

  /** Why the build fails for its warnings; null: it does not. */
  get violation(): string | null {
    if (!this.#options.isError || this.warnings.length === 0) return null;
    const names = new Set(this.warnings.map(({ rule }) => rule));
    return `lint violation found for rules: ${[...names].join(', ')}`;
  }
}

function covers(names: ReadonlySet<string> | 'all', rule: RuleName): boolean {
  return names === 'all' || names.has(rule);
}
