/** True for a mode in digits. */
export function isOctal(text: string): boolean {
  return /^[0-7]+$/.test(text);
}

/** Permissions by the words of chmod(1): octal, or clauses like `u=rwX,go-w`. `text` has been checked by the front end. */
export function applyMode(text: string, mode: number, isDirectory: boolean): number {
  if (text === '') return mode;
  if (isOctal(text)) return Number.parseInt(text, 8);
  let result = mode;
  for (const clause of text.split(',')) result = applyClause(clause, result, isDirectory);
  return result;
}

const shifts: Record<string, number> = { u: 6, g: 3, o: 0 };

function applyClause(clause: string, mode: number, isDirectory: boolean): number {
  const [, who = '', changes = ''] = /^([ugoa]*)(.*)$/.exec(clause) ?? [];
  const whom = who === '' || who.includes('a') ? 'ugo' : who;
  let result = mode;
  for (const [, sign = '', letters = ''] of changes.matchAll(/([-+=])([rwxXstugo]*)/g)) {
    for (const letter of whom) {
      const shift = shifts[letter] as number;
      const bits = permissionBits(letters, { mode: result, isDirectory });
      const special = specialBits(letters, letter);
      if (sign === '=') result &= ~((0o7 << shift) | specialBits('s', letter));
      if (sign === '-') result &= ~((bits << shift) | special);
      else result |= (bits << shift) | special;
    }
  }
  return result;
}

function permissionBits(letters: string, { mode, isDirectory }: { mode: number; isDirectory: boolean }): number {
  let bits = 0;
  for (const letter of letters) {
    if (letter === 'r') bits |= 4;
    else if (letter === 'w') bits |= 2;
    else if (letter === 'x') bits |= 1;
    else if (letter === 'X' && (isDirectory || (mode & 0o111) !== 0)) bits |= 1;
    else if (letter in shifts) bits |= (mode >> (shifts[letter] as number)) & 0o7;
  }
  return bits;
}

function specialBits(letters: string, whom: string): number {
  let bits = 0;
  if (letters.includes('s')) bits |= whom === 'u' ? 0o4000 : whom === 'g' ? 0o2000 : 0;
  if (letters.includes('t')) bits |= 0o1000;
  return bits;
}
