-- The scripts that make a shell ask `bittern completions candidates`: they know nothing themselves.
return {
  bash = [==[
# Completion of bittern for bash; in ~/.bashrc: eval "$(bittern completions bash)"
_bittern() {
  local current=${COMP_WORDS[COMP_CWORD]} lines
  mapfile -t lines < <("$1" completions candidates --splits -- \
    "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  [[ $current == = ]] && current=
  case ${lines[0]} in
    files) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
    folders) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$current") ;;
    *)
      COMPREPLY=("${lines[@]:1}")
      COMPREPLY=("${COMPREPLY[@]%%$'\t'*}")
      [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace
      ;;
  esac
}
complete -F _bittern bittern]==],
  zsh = [==[
#compdef bittern
# Completion of bittern for zsh; in ~/.zshrc, after compinit:
# eval "$(bittern completions zsh)"
_bittern() {
  local -a lines shown
  local line
  lines=("${(@f)$(${(Q)words[1]} completions candidates -- \
    "${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
  case ${lines[1]} in
    files) [[ $PREFIX == --*=* ]] && compset -P '*='; _files ;;
    folders) [[ $PREFIX == --*=* ]] && compset -P '*='; _files -/ ;;
    *)
      for line in "${(@)lines[2,-1]}"; do
        shown+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
      done
      _describe bittern shown
      ;;
  esac
}
if [[ ${funcstack[1]} == _bittern ]]; then _bittern "$@"; else compdef _bittern bittern; fi]==],
  fish = [==[
# Completion of bittern for fish; in ~/.config/fish/config.fish:
# bittern completions fish | source
function __bittern_candidates
  set -l before (commandline -opc)
  set -l current (commandline -ct)
  set -l lines ($before[1] completions candidates -- $before[2..-1] "$current" 2>/dev/null)
  switch "$lines[1]"
    case files
      __fish_complete_path "$current"
    case folders
      __fish_complete_directories "$current"
    case '*'
      set -e lines[1]
      string join \n -- $lines
  end
end
complete -c bittern -f -a '(__bittern_candidates)']==],
}
