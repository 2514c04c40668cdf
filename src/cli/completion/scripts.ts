/**
 * Completion scripts. They know nothing themselves: each asks `berth __complete WORD…` for the words that may stand last, so that they
 * never grow old.
 */

export const shells = ['bash', 'zsh', 'fish'] as const;

const bash = `# bash completion for berth: source it, or put it into /etc/bash_completion.d
_berth() {
  local IFS=$'\\n' words
  words=("\${COMP_WORDS[@]:1:COMP_CWORD}")
  local answer
  answer=$(berth __complete "\${words[@]}" 2>/dev/null) || return
  if [ "$answer" = ':files' ]; then
    compopt -o filenames 2>/dev/null
    COMPREPLY=($(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}"))
    return
  fi
  COMPREPLY=($(compgen -W "$(cut -f1 <<<"$answer")" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -F _berth berth
`;

const zsh = `#compdef berth
# zsh completion for berth: put it as _berth into a folder of $fpath
_berth() {
  local answer
  answer=("\${(@f)$(berth __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ "$answer" == ':files' ]]; then
    _files
    return
  fi
  local -a offers
  offers=("\${(@)\${(@)answer//:/\\\\:}/$'\\t'/:}")
  _describe 'berth' offers
}
compdef _berth berth
# Loaded by name, the file itself is the function's first call.
[[ "$funcstack[1]" == _berth ]] && _berth
`;

const fish = `# fish completion for berth: put it into ~/.config/fish/completions/berth.fish
function __berth_offers
    set -l words (commandline -opc) (commandline -ct)
    set -l answer (berth __complete $words[2..-1] 2>/dev/null)
    if test "$answer" = ':files'
        __fish_complete_path (commandline -ct)
    else
        printf '%s\\n' $answer
    end
end
complete -c berth -f -a '(__berth_offers)'
`;

export function completionScript(shell: (typeof shells)[number]): string {
  return { bash, zsh, fish }[shell];
}
