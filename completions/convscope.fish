# fish completion of convscope; what there is to complete, the program itself tells.
complete -c convscope -f
convscope --dump-options 2>/dev/null | while read -d \t -l kind of name letter arg words help
    if test $kind = command
        complete -c convscope -n __fish_use_subcommand -a $of -d $letter
        complete -c convscope -n "__fish_seen_subcommand_from $of" -F
        continue
    end
    set -l spec -n "__fish_seen_subcommand_from $of" -l (string sub -s 3 -- $name) -d $help
    test $letter = -; or set -a spec -s (string sub -s 2 -- $letter)
    if test $words != -
        set -a spec -x -a $words
    else if test $arg != -
        set -a spec -r -F
    end
    complete -c convscope $spec
end
