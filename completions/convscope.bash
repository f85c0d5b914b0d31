# bash completion of convscope; what there is to complete, the program itself tells.
_convscope() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
    local program=${COMP_WORDS[0]} command='' values='' names='' i
    local kind of name letter arg words help
    # "--option=value" arrives as three words.
    if [[ $cur == = ]]; then
        cur=''
    elif [[ $prev == = ]]; then
        prev=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    local table
    table=$("$program" --dump-options 2>/dev/null) || return
    for ((i = 1; i < COMP_CWORD; i++)); do
        if [[ $'\n'$table == *$'\n'"command"$'\t'"${COMP_WORDS[i]}"$'\t'* ]]; then
            command=${COMP_WORDS[i]}
            break
        fi
    done
    while IFS=$'\t' read -r kind of name letter arg words help; do
        if [[ $kind == command ]]; then
            [[ $command ]] || names+=" $of"
            continue
        fi
        [[ -z $command || $of == "$command" ]] || continue
        [[ $cur == -* ]] && names+=" $name"
        if [[ $arg != - && ($prev == "$name" || $prev == "$letter") ]]; then
            values=$words
            [[ $arg == DIR ]] && values=DIR
        fi
    done <<<"$table"
    case $values in
    DIR) mapfile -t COMPREPLY < <(compgen -d -- "$cur") ;;
    '' | -)
        [[ $values ]] && names=''
        mapfile -t COMPREPLY < <(compgen -W "$names" -- "$cur" | sort -u)
        [[ ($command || $values) && $cur != -* ]] && mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        ;;
    *) mapfile -t COMPREPLY < <(compgen -W "$values" -- "$cur") ;;
    esac
    return 0
}
complete -o filenames -F _convscope convscope
