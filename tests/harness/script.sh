# Sourced by test scripts, from the project's root: a temporary directory `dir`, and `fail WHY`, after which they go on and
# end with `exit $failed`.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0
fail() {
  echo "FAILED: $1" >&2
  failed=1
}
