# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_trueup_global_optspecs
    string join \n C= color= q/quiet v/verbose exit-zero no-exec h/help V/version
end

function __fish_trueup_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_trueup_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_trueup_using_subcommand
    set -l cmd (__fish_trueup_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c trueup -n "__fish_trueup_needs_command" -s C -d 'Run as if started in DIR' -r -F
complete -c trueup -n "__fish_trueup_needs_command" -l color -d 'When to use colour; auto heeds NO_COLOR, CLICOLOR_FORCE, CLICOLOR and TERM' -r -f -a "auto\t'As the environment and the stream suggest'
always\t'Always'
never\t'Never'"
complete -c trueup -n "__fish_trueup_needs_command" -s q -l quiet -d 'Print the result only'
complete -c trueup -n "__fish_trueup_needs_command" -s v -l verbose -d 'Say more about the run; twice for even more'
complete -c trueup -n "__fish_trueup_needs_command" -l exit-zero -d 'Exit with 0 where the answer is 2, 3, 4 or 5; faults keep their codes'
complete -c trueup -n "__fish_trueup_needs_command" -l no-exec -d 'Run no program that the checkout or its configuration names'
complete -c trueup -n "__fish_trueup_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c trueup -n "__fish_trueup_needs_command" -s V -l version -d 'Print version'
complete -c trueup -n "__fish_trueup_needs_command" -f -a "plan" -d 'Show what apply would change, and why'
complete -c trueup -n "__fish_trueup_needs_command" -f -a "diff" -d 'Print the unified diff, against the target or between two revisions'
complete -c trueup -n "__fish_trueup_needs_command" -f -a "apply" -d 'Make the target equal to a commit'
complete -c trueup -n "__fish_trueup_needs_command" -f -a "drift" -d 'Show what moved in the target since the last apply, and who moved it'
complete -c trueup -n "__fish_trueup_needs_command" -f -a "log" -d 'List past applies, or commits that were never applied'
complete -c trueup -n "__fish_trueup_needs_command" -f -a "why" -d 'Say why an object or a field is as it is: Git, applies, who wrote it'
complete -c trueup -n "__fish_trueup_needs_command" -f -a "init" -d 'Start a repository: write trueup.yaml'
complete -c trueup -n "__fish_trueup_needs_command" -f -a "import" -d 'Write declarations of what a target holds already'
complete -c trueup -n "__fish_trueup_needs_command" -f -a "providers" -d 'List the providers, show one, or check a definition of your own'
complete -c trueup -n "__fish_trueup_needs_command" -f -a "schema" -d 'Print a JSON Schema'
complete -c trueup -n "__fish_trueup_needs_command" -f -a "completions" -d 'Print the completions for a shell'
complete -c trueup -n "__fish_trueup_needs_command" -f -a "man" -d 'Print or write the man pages'
complete -c trueup -n "__fish_trueup_using_subcommand plan" -s e -l env -d 'The environment in trueup.yaml; may be left out if there is only one' -r
complete -c trueup -n "__fish_trueup_using_subcommand plan" -l ref -d 'Take the desired state from this revision; the work tree is not looked at' -r
complete -c trueup -n "__fish_trueup_using_subcommand plan" -l only -d 'Only objects whose address matches; `*` within a path component, `**` across' -r
complete -c trueup -n "__fish_trueup_using_subcommand plan" -l merge-into -d 'Plan the result of merging HEAD into this revision, merged in memory' -r
complete -c trueup -n "__fish_trueup_using_subcommand plan" -l explain -d 'Say why the object at this address is as declared or not; may be given several times' -r
complete -c trueup -n "__fish_trueup_using_subcommand plan" -l audit-log -d 'Name the people behind what moved, by the audit log of the API server; may be given several times' -r -F
complete -c trueup -n "__fish_trueup_using_subcommand plan" -s o -l output -d 'Format on standard output: human, diff, json, markdown, plan, gitlab-terraform' -r
complete -c trueup -n "__fish_trueup_using_subcommand plan" -l out -d 'Also write the result in FORMAT to FILE, `-` for standard output; may be given several times' -r
complete -c trueup -n "__fish_trueup_using_subcommand plan" -l max-bytes -d 'Budget for markdown in bytes, or github, gitlab, bitbucket, azure' -r
complete -c trueup -n "__fish_trueup_using_subcommand plan" -s C -d 'Run as if started in DIR' -r -F
complete -c trueup -n "__fish_trueup_using_subcommand plan" -l color -d 'When to use colour; auto heeds NO_COLOR, CLICOLOR_FORCE, CLICOLOR and TERM' -r -f -a "auto\t'As the environment and the stream suggest'
always\t'Always'
never\t'Never'"
complete -c trueup -n "__fish_trueup_using_subcommand plan" -l verify -d 'Trust nothing remembered: read every byte of the target, ask a cluster about every object'
complete -c trueup -n "__fish_trueup_using_subcommand plan" -l strict-ignores -d 'Exit 78 if an ignore rule matches nothing'
complete -c trueup -n "__fish_trueup_using_subcommand plan" -l summary -d 'Print the list and the counts, not the diff'
complete -c trueup -n "__fish_trueup_using_subcommand plan" -s q -l quiet -d 'Print the result only'
complete -c trueup -n "__fish_trueup_using_subcommand plan" -s v -l verbose -d 'Say more about the run; twice for even more'
complete -c trueup -n "__fish_trueup_using_subcommand plan" -l exit-zero -d 'Exit with 0 where the answer is 2, 3, 4 or 5; faults keep their codes'
complete -c trueup -n "__fish_trueup_using_subcommand plan" -l no-exec -d 'Run no program that the checkout or its configuration names'
complete -c trueup -n "__fish_trueup_using_subcommand plan" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c trueup -n "__fish_trueup_using_subcommand diff" -s e -l env -d 'The environment in trueup.yaml; may be left out if there is only one' -r
complete -c trueup -n "__fish_trueup_using_subcommand diff" -l ref -d 'Take the desired state from this revision; the work tree is not looked at' -r
complete -c trueup -n "__fish_trueup_using_subcommand diff" -l only -d 'Only objects whose address matches; `*` within a path component, `**` across' -r
complete -c trueup -n "__fish_trueup_using_subcommand diff" -l merge-into -d 'Diff the result of merging HEAD into this revision, merged in memory' -r
complete -c trueup -n "__fish_trueup_using_subcommand diff" -s o -l output -d 'Format on standard output: human, diff, json, markdown, plan, gitlab-terraform' -r
complete -c trueup -n "__fish_trueup_using_subcommand diff" -l out -d 'Also write the result in FORMAT to FILE, `-` for standard output; may be given several times' -r
complete -c trueup -n "__fish_trueup_using_subcommand diff" -l max-bytes -d 'Budget for markdown in bytes, or github, gitlab, bitbucket, azure' -r
complete -c trueup -n "__fish_trueup_using_subcommand diff" -s C -d 'Run as if started in DIR' -r -F
complete -c trueup -n "__fish_trueup_using_subcommand diff" -l color -d 'When to use colour; auto heeds NO_COLOR, CLICOLOR_FORCE, CLICOLOR and TERM' -r -f -a "auto\t'As the environment and the stream suggest'
always\t'Always'
never\t'Never'"
complete -c trueup -n "__fish_trueup_using_subcommand diff" -l verify -d 'Trust nothing remembered: read every byte of the target, ask a cluster about every object'
complete -c trueup -n "__fish_trueup_using_subcommand diff" -l strict-ignores -d 'Exit 78 if an ignore rule matches nothing'
complete -c trueup -n "__fish_trueup_using_subcommand diff" -s q -l quiet -d 'Print the result only'
complete -c trueup -n "__fish_trueup_using_subcommand diff" -s v -l verbose -d 'Say more about the run; twice for even more'
complete -c trueup -n "__fish_trueup_using_subcommand diff" -l exit-zero -d 'Exit with 0 where the answer is 2, 3, 4 or 5; faults keep their codes'
complete -c trueup -n "__fish_trueup_using_subcommand diff" -l no-exec -d 'Run no program that the checkout or its configuration names'
complete -c trueup -n "__fish_trueup_using_subcommand diff" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c trueup -n "__fish_trueup_using_subcommand apply" -s e -l env -d 'The environment in trueup.yaml; may be left out if there is only one' -r
complete -c trueup -n "__fish_trueup_using_subcommand apply" -l ref -d 'Take the desired state from this revision; the work tree is not looked at' -r
complete -c trueup -n "__fish_trueup_using_subcommand apply" -l only -d 'Only objects whose address matches; `*` within a path component, `**` across' -r
complete -c trueup -n "__fish_trueup_using_subcommand apply" -l plan -d 'Do what this saved plan approves, or less; exit 6 if today\'s plan is another' -r -F
complete -c trueup -n "__fish_trueup_using_subcommand apply" -l digest -d 'Do what the plan with this digest approves; exit 6 if today\'s plan is another' -r
complete -c trueup -n "__fish_trueup_using_subcommand apply" -l overwrite -d 'Git wins a conflict at this address, or in this field of it only' -r
complete -c trueup -n "__fish_trueup_using_subcommand apply" -l keep -d 'Leave the object at this address as it is, or this field of it only' -r
complete -c trueup -n "__fish_trueup_using_subcommand apply" -l adopt -d 'Overwrite an object that trueup did not write, or delete it where it is declared absent' -r
complete -c trueup -n "__fish_trueup_using_subcommand apply" -l allow-replace -d 'Delete and make anew what cannot be changed in place' -r
complete -c trueup -n "__fish_trueup_using_subcommand apply" -l allow-protected -d 'Delete or replace a protected object, or replace one that takes along what nothing makes again' -r
complete -c trueup -n "__fish_trueup_using_subcommand apply" -l allow-emptied -d 'Delete every object of ours in a collection' -r
complete -c trueup -n "__fish_trueup_using_subcommand apply" -l max-delete -d 'Delete or replace at most N objects, instead of what trueup.yaml says' -r
complete -c trueup -n "__fish_trueup_using_subcommand apply" -l max-delete-percent -d 'Delete or replace at most P percent of our objects, instead of what trueup.yaml says' -r
complete -c trueup -n "__fish_trueup_using_subcommand apply" -l timeout -d 'Wait at most so long: seconds, or 90s, 5m, 1h30m' -r
complete -c trueup -n "__fish_trueup_using_subcommand apply" -l lock-timeout -d 'Wait so many seconds for another run\'s lock' -r
complete -c trueup -n "__fish_trueup_using_subcommand apply" -l reason -d 'Why, for the record' -r
complete -c trueup -n "__fish_trueup_using_subcommand apply" -s o -l output -d 'Format on standard output: human, diff, json, markdown, plan, gitlab-terraform' -r
complete -c trueup -n "__fish_trueup_using_subcommand apply" -l out -d 'Also write the result in FORMAT to FILE, `-` for standard output; may be given several times' -r
complete -c trueup -n "__fish_trueup_using_subcommand apply" -l max-bytes -d 'Budget for markdown in bytes, or github, gitlab, bitbucket, azure' -r
complete -c trueup -n "__fish_trueup_using_subcommand apply" -s C -d 'Run as if started in DIR' -r -F
complete -c trueup -n "__fish_trueup_using_subcommand apply" -l color -d 'When to use colour; auto heeds NO_COLOR, CLICOLOR_FORCE, CLICOLOR and TERM' -r -f -a "auto\t'As the environment and the stream suggest'
always\t'Always'
never\t'Never'"
complete -c trueup -n "__fish_trueup_using_subcommand apply" -l verify -d 'Trust nothing remembered: read every byte of the target, ask a cluster about every object'
complete -c trueup -n "__fish_trueup_using_subcommand apply" -l strict-ignores -d 'Exit 78 if an ignore rule matches nothing'
complete -c trueup -n "__fish_trueup_using_subcommand apply" -s y -l yes -d 'Do not ask'
complete -c trueup -n "__fish_trueup_using_subcommand apply" -l summary -d 'Show the list and the counts before asking, not the diff'
complete -c trueup -n "__fish_trueup_using_subcommand apply" -l only-drift -d 'Undo what moved in the target and nothing else'
complete -c trueup -n "__fish_trueup_using_subcommand apply" -l allow-empty -d 'Accept that nothing is declared any more'
complete -c trueup -n "__fish_trueup_using_subcommand apply" -l skip-unknown -d 'Apply the rest where something could not be read; deletes nothing then, and does not exit with 0'
complete -c trueup -n "__fish_trueup_using_subcommand apply" -l skip-invalid -d 'Apply the rest where the target refuses what is declared; deletes nothing then, and does not exit with 0'
complete -c trueup -n "__fish_trueup_using_subcommand apply" -l rollback -d 'Go back to a commit older than the one applied last'
complete -c trueup -n "__fish_trueup_using_subcommand apply" -l allow-dirty -d 'Apply the work tree with its uncommitted edits; the record says so'
complete -c trueup -n "__fish_trueup_using_subcommand apply" -l allow-off-ref -d 'Apply a commit that is not on the environment\'s ref; the record says so'
complete -c trueup -n "__fish_trueup_using_subcommand apply" -l wait -d 'Wait until everything declared is ready, where the target has a notion of that'
complete -c trueup -n "__fish_trueup_using_subcommand apply" -l no-wait -d 'Do not wait, whatever trueup.yaml says'
complete -c trueup -n "__fish_trueup_using_subcommand apply" -s q -l quiet -d 'Print the result only'
complete -c trueup -n "__fish_trueup_using_subcommand apply" -s v -l verbose -d 'Say more about the run; twice for even more'
complete -c trueup -n "__fish_trueup_using_subcommand apply" -l exit-zero -d 'Exit with 0 where the answer is 2, 3, 4 or 5; faults keep their codes'
complete -c trueup -n "__fish_trueup_using_subcommand apply" -l no-exec -d 'Run no program that the checkout or its configuration names'
complete -c trueup -n "__fish_trueup_using_subcommand apply" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c trueup -n "__fish_trueup_using_subcommand drift" -s e -l env -d 'The environment in trueup.yaml; may be left out if there is only one' -r
complete -c trueup -n "__fish_trueup_using_subcommand drift" -l only -d 'Only objects whose address matches; `*` within a path component, `**` across' -r
complete -c trueup -n "__fish_trueup_using_subcommand drift" -l audit-log -d 'Name the people behind what moved, by the audit log of the API server; may be given several times' -r -F
complete -c trueup -n "__fish_trueup_using_subcommand drift" -s o -l output -d 'Format on standard output: human, diff, json, markdown, plan, gitlab-terraform' -r
complete -c trueup -n "__fish_trueup_using_subcommand drift" -l out -d 'Also write the result in FORMAT to FILE, `-` for standard output; may be given several times' -r
complete -c trueup -n "__fish_trueup_using_subcommand drift" -l max-bytes -d 'Budget for markdown in bytes, or github, gitlab, bitbucket, azure' -r
complete -c trueup -n "__fish_trueup_using_subcommand drift" -s C -d 'Run as if started in DIR' -r -F
complete -c trueup -n "__fish_trueup_using_subcommand drift" -l color -d 'When to use colour; auto heeds NO_COLOR, CLICOLOR_FORCE, CLICOLOR and TERM' -r -f -a "auto\t'As the environment and the stream suggest'
always\t'Always'
never\t'Never'"
complete -c trueup -n "__fish_trueup_using_subcommand drift" -l verify -d 'Trust nothing remembered: read every byte of the target, ask a cluster about every object'
complete -c trueup -n "__fish_trueup_using_subcommand drift" -l strict-ignores -d 'Exit 78 if an ignore rule matches nothing'
complete -c trueup -n "__fish_trueup_using_subcommand drift" -l summary -d 'Print the list and the counts, not the diff'
complete -c trueup -n "__fish_trueup_using_subcommand drift" -l adopt -d 'Write the target\'s values into the files of the work tree'
complete -c trueup -n "__fish_trueup_using_subcommand drift" -l patch -d 'With --adopt: print a patch that `git apply` takes, write nothing'
complete -c trueup -n "__fish_trueup_using_subcommand drift" -s q -l quiet -d 'Print the result only'
complete -c trueup -n "__fish_trueup_using_subcommand drift" -s v -l verbose -d 'Say more about the run; twice for even more'
complete -c trueup -n "__fish_trueup_using_subcommand drift" -l exit-zero -d 'Exit with 0 where the answer is 2, 3, 4 or 5; faults keep their codes'
complete -c trueup -n "__fish_trueup_using_subcommand drift" -l no-exec -d 'Run no program that the checkout or its configuration names'
complete -c trueup -n "__fish_trueup_using_subcommand drift" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c trueup -n "__fish_trueup_using_subcommand log" -s e -l env -d 'The environment in trueup.yaml; may be left out if there is only one' -r
complete -c trueup -n "__fish_trueup_using_subcommand log" -s n -l max-count -d 'Show at most N entries' -r
complete -c trueup -n "__fish_trueup_using_subcommand log" -s o -l output -d 'Format on standard output: human or json' -r
complete -c trueup -n "__fish_trueup_using_subcommand log" -s C -d 'Run as if started in DIR' -r -F
complete -c trueup -n "__fish_trueup_using_subcommand log" -l color -d 'When to use colour; auto heeds NO_COLOR, CLICOLOR_FORCE, CLICOLOR and TERM' -r -f -a "auto\t'As the environment and the stream suggest'
always\t'Always'
never\t'Never'"
complete -c trueup -n "__fish_trueup_using_subcommand log" -l missing -d 'List the commits of the environment\'s ref that were never applied'
complete -c trueup -n "__fish_trueup_using_subcommand log" -s q -l quiet -d 'Print the result only'
complete -c trueup -n "__fish_trueup_using_subcommand log" -s v -l verbose -d 'Say more about the run; twice for even more'
complete -c trueup -n "__fish_trueup_using_subcommand log" -l exit-zero -d 'Exit with 0 where the answer is 2, 3, 4 or 5; faults keep their codes'
complete -c trueup -n "__fish_trueup_using_subcommand log" -l no-exec -d 'Run no program that the checkout or its configuration names'
complete -c trueup -n "__fish_trueup_using_subcommand log" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c trueup -n "__fish_trueup_using_subcommand why" -s e -l env -d 'The environment in trueup.yaml; may be left out if there is only one' -r
complete -c trueup -n "__fish_trueup_using_subcommand why" -l audit-log -d 'Name the people behind what moved, by the audit log of the API server; may be given several times' -r -F
complete -c trueup -n "__fish_trueup_using_subcommand why" -s n -l max-count -d 'Look at no more than N commits and applies' -r
complete -c trueup -n "__fish_trueup_using_subcommand why" -s o -l output -d 'Format on standard output: human or json' -r
complete -c trueup -n "__fish_trueup_using_subcommand why" -s C -d 'Run as if started in DIR' -r -F
complete -c trueup -n "__fish_trueup_using_subcommand why" -l color -d 'When to use colour; auto heeds NO_COLOR, CLICOLOR_FORCE, CLICOLOR and TERM' -r -f -a "auto\t'As the environment and the stream suggest'
always\t'Always'
never\t'Never'"
complete -c trueup -n "__fish_trueup_using_subcommand why" -s q -l quiet -d 'Print the result only'
complete -c trueup -n "__fish_trueup_using_subcommand why" -s v -l verbose -d 'Say more about the run; twice for even more'
complete -c trueup -n "__fish_trueup_using_subcommand why" -l exit-zero -d 'Exit with 0 where the answer is 2, 3, 4 or 5; faults keep their codes'
complete -c trueup -n "__fish_trueup_using_subcommand why" -l no-exec -d 'Run no program that the checkout or its configuration names'
complete -c trueup -n "__fish_trueup_using_subcommand why" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c trueup -n "__fish_trueup_using_subcommand init" -l path -d 'Folder of the checkout with the declarations' -r
complete -c trueup -n "__fish_trueup_using_subcommand init" -l root -d 'Directory that the files go to, relative to trueup.yaml' -r
complete -c trueup -n "__fish_trueup_using_subcommand init" -s C -d 'Run as if started in DIR' -r -F
complete -c trueup -n "__fish_trueup_using_subcommand init" -l color -d 'When to use colour; auto heeds NO_COLOR, CLICOLOR_FORCE, CLICOLOR and TERM' -r -f -a "auto\t'As the environment and the stream suggest'
always\t'Always'
never\t'Never'"
complete -c trueup -n "__fish_trueup_using_subcommand init" -s q -l quiet -d 'Print the result only'
complete -c trueup -n "__fish_trueup_using_subcommand init" -s v -l verbose -d 'Say more about the run; twice for even more'
complete -c trueup -n "__fish_trueup_using_subcommand init" -l exit-zero -d 'Exit with 0 where the answer is 2, 3, 4 or 5; faults keep their codes'
complete -c trueup -n "__fish_trueup_using_subcommand init" -l no-exec -d 'Run no program that the checkout or its configuration names'
complete -c trueup -n "__fish_trueup_using_subcommand init" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c trueup -n "__fish_trueup_using_subcommand import" -s e -l env -d 'The environment in trueup.yaml; may be left out if there is only one' -r
complete -c trueup -n "__fish_trueup_using_subcommand import" -s C -d 'Run as if started in DIR' -r -F
complete -c trueup -n "__fish_trueup_using_subcommand import" -l color -d 'When to use colour; auto heeds NO_COLOR, CLICOLOR_FORCE, CLICOLOR and TERM' -r -f -a "auto\t'As the environment and the stream suggest'
always\t'Always'
never\t'Never'"
complete -c trueup -n "__fish_trueup_using_subcommand import" -l print -d 'Print instead of writing files'
complete -c trueup -n "__fish_trueup_using_subcommand import" -s q -l quiet -d 'Print the result only'
complete -c trueup -n "__fish_trueup_using_subcommand import" -s v -l verbose -d 'Say more about the run; twice for even more'
complete -c trueup -n "__fish_trueup_using_subcommand import" -l exit-zero -d 'Exit with 0 where the answer is 2, 3, 4 or 5; faults keep their codes'
complete -c trueup -n "__fish_trueup_using_subcommand import" -l no-exec -d 'Run no program that the checkout or its configuration names'
complete -c trueup -n "__fish_trueup_using_subcommand import" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c trueup -n "__fish_trueup_using_subcommand providers; and not __fish_seen_subcommand_from show check" -s o -l output -d 'Format on standard output: human or json' -r
complete -c trueup -n "__fish_trueup_using_subcommand providers; and not __fish_seen_subcommand_from show check" -s C -d 'Run as if started in DIR' -r -F
complete -c trueup -n "__fish_trueup_using_subcommand providers; and not __fish_seen_subcommand_from show check" -l color -d 'When to use colour; auto heeds NO_COLOR, CLICOLOR_FORCE, CLICOLOR and TERM' -r -f -a "auto\t'As the environment and the stream suggest'
always\t'Always'
never\t'Never'"
complete -c trueup -n "__fish_trueup_using_subcommand providers; and not __fish_seen_subcommand_from show check" -s q -l quiet -d 'Print the result only'
complete -c trueup -n "__fish_trueup_using_subcommand providers; and not __fish_seen_subcommand_from show check" -s v -l verbose -d 'Say more about the run; twice for even more'
complete -c trueup -n "__fish_trueup_using_subcommand providers; and not __fish_seen_subcommand_from show check" -l exit-zero -d 'Exit with 0 where the answer is 2, 3, 4 or 5; faults keep their codes'
complete -c trueup -n "__fish_trueup_using_subcommand providers; and not __fish_seen_subcommand_from show check" -l no-exec -d 'Run no program that the checkout or its configuration names'
complete -c trueup -n "__fish_trueup_using_subcommand providers; and not __fish_seen_subcommand_from show check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c trueup -n "__fish_trueup_using_subcommand providers; and not __fish_seen_subcommand_from show check" -f -a "show" -d 'Show what a provider manages, and its keys in a target'
complete -c trueup -n "__fish_trueup_using_subcommand providers; and not __fish_seen_subcommand_from show check" -f -a "check" -d 'Check a definition file, and what a server answers to it'
complete -c trueup -n "__fish_trueup_using_subcommand providers; and __fish_seen_subcommand_from show" -s o -l output -d 'Format on standard output: human or json' -r
complete -c trueup -n "__fish_trueup_using_subcommand providers; and __fish_seen_subcommand_from show" -s C -d 'Run as if started in DIR' -r -F
complete -c trueup -n "__fish_trueup_using_subcommand providers; and __fish_seen_subcommand_from show" -l color -d 'When to use colour; auto heeds NO_COLOR, CLICOLOR_FORCE, CLICOLOR and TERM' -r -f -a "auto\t'As the environment and the stream suggest'
always\t'Always'
never\t'Never'"
complete -c trueup -n "__fish_trueup_using_subcommand providers; and __fish_seen_subcommand_from show" -l definition -d 'Print the definition of its API, a start for one of your own'
complete -c trueup -n "__fish_trueup_using_subcommand providers; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Print the result only'
complete -c trueup -n "__fish_trueup_using_subcommand providers; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Say more about the run; twice for even more'
complete -c trueup -n "__fish_trueup_using_subcommand providers; and __fish_seen_subcommand_from show" -l exit-zero -d 'Exit with 0 where the answer is 2, 3, 4 or 5; faults keep their codes'
complete -c trueup -n "__fish_trueup_using_subcommand providers; and __fish_seen_subcommand_from show" -l no-exec -d 'Run no program that the checkout or its configuration names'
complete -c trueup -n "__fish_trueup_using_subcommand providers; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c trueup -n "__fish_trueup_using_subcommand providers; and __fish_seen_subcommand_from check" -s e -l env -d 'The environment in trueup.yaml; may be left out if there is only one' -r
complete -c trueup -n "__fish_trueup_using_subcommand providers; and __fish_seen_subcommand_from check" -s C -d 'Run as if started in DIR' -r -F
complete -c trueup -n "__fish_trueup_using_subcommand providers; and __fish_seen_subcommand_from check" -l color -d 'When to use colour; auto heeds NO_COLOR, CLICOLOR_FORCE, CLICOLOR and TERM' -r -f -a "auto\t'As the environment and the stream suggest'
always\t'Always'
never\t'Never'"
complete -c trueup -n "__fish_trueup_using_subcommand providers; and __fish_seen_subcommand_from check" -s q -l quiet -d 'Print the result only'
complete -c trueup -n "__fish_trueup_using_subcommand providers; and __fish_seen_subcommand_from check" -s v -l verbose -d 'Say more about the run; twice for even more'
complete -c trueup -n "__fish_trueup_using_subcommand providers; and __fish_seen_subcommand_from check" -l exit-zero -d 'Exit with 0 where the answer is 2, 3, 4 or 5; faults keep their codes'
complete -c trueup -n "__fish_trueup_using_subcommand providers; and __fish_seen_subcommand_from check" -l no-exec -d 'Run no program that the checkout or its configuration names'
complete -c trueup -n "__fish_trueup_using_subcommand providers; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c trueup -n "__fish_trueup_using_subcommand schema" -s C -d 'Run as if started in DIR' -r -F
complete -c trueup -n "__fish_trueup_using_subcommand schema" -l color -d 'When to use colour; auto heeds NO_COLOR, CLICOLOR_FORCE, CLICOLOR and TERM' -r -f -a "auto\t'As the environment and the stream suggest'
always\t'Always'
never\t'Never'"
complete -c trueup -n "__fish_trueup_using_subcommand schema" -s q -l quiet -d 'Print the result only'
complete -c trueup -n "__fish_trueup_using_subcommand schema" -s v -l verbose -d 'Say more about the run; twice for even more'
complete -c trueup -n "__fish_trueup_using_subcommand schema" -l exit-zero -d 'Exit with 0 where the answer is 2, 3, 4 or 5; faults keep their codes'
complete -c trueup -n "__fish_trueup_using_subcommand schema" -l no-exec -d 'Run no program that the checkout or its configuration names'
complete -c trueup -n "__fish_trueup_using_subcommand schema" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c trueup -n "__fish_trueup_using_subcommand completions" -s C -d 'Run as if started in DIR' -r -F
complete -c trueup -n "__fish_trueup_using_subcommand completions" -l color -d 'When to use colour; auto heeds NO_COLOR, CLICOLOR_FORCE, CLICOLOR and TERM' -r -f -a "auto\t'As the environment and the stream suggest'
always\t'Always'
never\t'Never'"
complete -c trueup -n "__fish_trueup_using_subcommand completions" -s q -l quiet -d 'Print the result only'
complete -c trueup -n "__fish_trueup_using_subcommand completions" -s v -l verbose -d 'Say more about the run; twice for even more'
complete -c trueup -n "__fish_trueup_using_subcommand completions" -l exit-zero -d 'Exit with 0 where the answer is 2, 3, 4 or 5; faults keep their codes'
complete -c trueup -n "__fish_trueup_using_subcommand completions" -l no-exec -d 'Run no program that the checkout or its configuration names'
complete -c trueup -n "__fish_trueup_using_subcommand completions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c trueup -n "__fish_trueup_using_subcommand man" -l dir -d 'Write every page into this directory instead' -r -F
complete -c trueup -n "__fish_trueup_using_subcommand man" -s C -d 'Run as if started in DIR' -r -F
complete -c trueup -n "__fish_trueup_using_subcommand man" -l color -d 'When to use colour; auto heeds NO_COLOR, CLICOLOR_FORCE, CLICOLOR and TERM' -r -f -a "auto\t'As the environment and the stream suggest'
always\t'Always'
never\t'Never'"
complete -c trueup -n "__fish_trueup_using_subcommand man" -s q -l quiet -d 'Print the result only'
complete -c trueup -n "__fish_trueup_using_subcommand man" -s v -l verbose -d 'Say more about the run; twice for even more'
complete -c trueup -n "__fish_trueup_using_subcommand man" -l exit-zero -d 'Exit with 0 where the answer is 2, 3, 4 or 5; faults keep their codes'
complete -c trueup -n "__fish_trueup_using_subcommand man" -l no-exec -d 'Run no program that the checkout or its configuration names'
complete -c trueup -n "__fish_trueup_using_subcommand man" -s h -l help -d 'Print help (see more with \'--help\')'
