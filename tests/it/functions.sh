# Functions for the steps of the fixtures and for tests.

# commit MESSAGE: commits everything in the checkout. The first commit is made
# at a fixed time and each further one an hour later, so that ids are stable.
commit() {
    at="@$((981173106 + 3600 * $(git rev-list --all --count))) +0000"
    git add -A &&
        GIT_AUTHOR_DATE=$at GIT_COMMITTER_DATE=$at git commit -q --no-gpg-sign -m "$1"
}

# digest [ARGUMENT…]: the digest that `trueup plan` prints.
digest() {
    trueup plan -o json "$@" | sed -n 's/^  "digest": "\(.*\)",*$/\1/p'
}

# kubectl: where the session is one with a cluster.
kubectl() {
    "$HOME/kubectl" "$@"
}

# as_somebody COMMAND…: runs it as a user who is not root.
as_somebody() {
    if [ "$(id -u)" = 0 ]; then
        chmod a+rx "$SANDBOX" "$HOME"
        git config --global --add safe.directory '*'
        chmod a+r "$HOME/.gitconfig"
        setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
    else
        "$@"
    fi
}
