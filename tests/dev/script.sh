#!/bin/sh
# What ./dev refuses, when it fetches the broker again, and what it says while it builds. It works on a copy, with programs
# in place of dpkg-query, mvn and cmake that only note that they were called.
#   script.sh, from the project's root
. tests/harness/script.sh
cp dev "$dir/dev"
mkdir -p "$dir/bin" "$dir/tests/harness/kafka"
echo 'first' >"$dir/tests/harness/kafka/pom.xml"
PATH=$dir/bin:$PATH

stub() {
  { echo '#!/bin/sh'; echo "echo \"$1 \$*\" >>$dir/called"; cat; } >"$dir/bin/$1"
  chmod +x "$dir/bin/$1"
}
stub dpkg-query <<'END'
echo installed
END
stub mvn <<'END'
for argument; do case $argument in -DoutputDirectory=*) to=${argument#*=} ;; esac; done
mkdir -p "$to"
touch "$to/$(cat tests/harness/kafka/pom.xml).jar"
END
stub cmake <<'END'
if [ "$1" = --build ]; then
  mkdir -p build/release/bin
  printf '#!/bin/sh\necho "freshet $*"\n' >build/release/bin/freshet
  chmod +x build/release/bin/freshet
  echo built
fi
END
called() { grep -c "^$1" "$dir/called" || true; }

# A word that a command would not look at is refused before anything is done.
refuse() {
  what=$1
  shift
  : >"$dir/called"
  if "$dir/dev" "$@" >"$dir/out" 2>&1; then fail "took: $*"; fi
  grep -q -e "$what" "$dir/out" || fail "refusing $* it does not say $what: $(cat "$dir/out")"
  [ ! -s "$dir/called" ] || fail "$* was refused after calling $(cat "$dir/called")"
}
refuse '--times' build --tmes
refuse '--times' build --times again
refuse '--changed' lint --chnaged
refuse 'but build, so not bild' setup bild
refuse 'takes no arguments' demo x
refuse 'takes no arguments' format ''
refuse 'parts are lint asan tsan release unit' test relaese
refuse 'there is no command' biuld

# The broker is fetched once, and again when other jars are asked for.
: >"$dir/called"
"$dir/dev" setup >"$dir/out" 2>&1 || fail "setup: $(cat "$dir/out")"
"$dir/dev" setup >"$dir/out" 2>&1 || fail "setup, again: $(cat "$dir/out")"
[ "$(called mvn)" = 1 ] || fail "the broker was fetched $(called mvn) times, not once"
[ -e "$dir/build/kafka/libs/first.jar" ] || fail "no jar in build/kafka/libs"
echo 'second' >"$dir/tests/harness/kafka/pom.xml"
"$dir/dev" setup >"$dir/out" 2>&1 || fail "setup, other jars: $(cat "$dir/out")"
[ "$(ls "$dir/build/kafka/libs")" = "$(printf 'pom.xml\nsecond.jar')" ] ||
  fail "build/kafka/libs is not what pom.xml asks for: $(ls "$dir/build/kafka/libs")"

# The first build says that it goes on; standard output is the program's alone.
"$dir/dev" freshet a b >"$dir/out" 2>"$dir/errors" || fail "freshet: $(cat "$dir/errors")"
[ "$(cat "$dir/out")" = "freshet a b" ] || fail "freshet printed: $(cat "$dir/out")"
grep -q 'building freshet, some minutes' "$dir/errors" || fail "the first build says nothing: $(cat "$dir/errors")"
"$dir/dev" freshet a b >"$dir/out" 2>"$dir/errors" || fail "freshet, again: $(cat "$dir/errors")"
[ ! -s "$dir/errors" ] || fail "a later build says: $(cat "$dir/errors")"

# Two of one pipe do not build at once: the second waits for the lock while the first, here, waits for us.
mkfifo "$dir/go"
stub cmake <<END
[ "\$1" != --build ] || read -r _ <"$dir/go"
END
: >"$dir/called"
"$dir/dev" freshet first >"$dir/first" 2>&1 &
until [ "$(called 'cmake --build')" = 1 ]; do :; done
"$dir/dev" freshet second >"$dir/second" 2>&1 &
until [ "$(called 'cmake --build')" = 2 ] || grep -qsa '^flock' /proc/[0-9]*/cmdline; do :; done
[ "$(called 'cmake --build')" = 1 ] || fail "two commands build at once"
echo >"$dir/go"
until [ "$(called 'cmake --build')" = 2 ]; do :; done
echo >"$dir/go"
wait
[ "$(cat "$dir/first" "$dir/second")" = "$(printf 'freshet first\nfreshet second')" ] ||
  fail "two commands printed: $(cat "$dir/first" "$dir/second")"
exit $failed
