# Sourced by the tests of the flight job: how one is filled, run and compared with the independent program.
#   $freshet and $oracle: the binaries; run from the project's root. $dir: a temporary directory.
. tests/harness/script.sh
freshet=$1
oracle=$2
job=jobs/flight-delays

# unpack [--month N]: departures.ndjson and arrivals.ndjson
unpack() {
  for stream in departures arrivals; do $job/rows $stream "$@" >"$dir/$stream.ndjson"; done
}

# fill LOG PARTITIONS
fill() {
  for stream in departures arrivals; do
    "$freshet" produce flights.$stream --local "$dir/$1" --key flight_id --partitions "$2" \
      <"$dir/$stream.ndjson" 2>>"$dir/log"
  done
}

# The shipped job with one sink more: the features that predictions are made from.
with_features() {
  awk '{ print } /^sinks:/ {
    print "  features: {topic: flights.features, from: inputs, key: flight_id,"
    print "             fields: [flight_id, origin_flights_1h, origin_delay_3h, carrier_delay_1h, dest_delay_3h]}" }' "$1"
}

# run JOB LOG SUMMARY [flags]
run() {
  file=$1 log=$2 summary=$3
  shift 3
  "$freshet" run "$file" --local "$dir/$log" --until-end --summary "$dir/$summary" "$@" 2>>"$dir/log" ||
    { tail -5 "$dir/log" >&2; fail "run of $file ended with $?"; }
}

# without_ties JOB: the job, its windows without other rows of the same moment
without_ties() {
  sed 's/exclude_current: true/exclude_current: true, ties: exclude/; s/over: arrivals, key: dest,/over: arrivals, key: dest, ties: exclude,/' "$1" |
    sed 's/^    exclude_current: true, ties: exclude/    exclude_current: true\n    ties: exclude/'
}

# features LOG [TOPIC]: the rows of flights.features as the oracle writes them
features() {
  "$freshet" consume "${2:-flights.features}" --local "$dir/$1" --from-beginning --until-end | awk '
    function field(name) {
      if (!match($0, "\"" name "\":\"?[^,}\"]*")) return ""
      text = substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 3)
      sub(/^"/, "", text)
      return text
    }
    BEGIN { print "flight_id,origin_flights_1h,origin_delay_3h,carrier_delay_1h,dest_delay_3h" }
    { print field("flight_id") "," field("origin_flights_1h") "," field("origin_delay_3h") "," \
            field("carrier_delay_1h") "," field("dest_delay_3h") }'
}

# figure SUMMARY GROUP NAME METRIC: from --summary, one member a line, or from the oracle, one line an object
figure() {
  awk -v group="\"$2\"" -v name="\"$3\"" -v metric="\"$4\"" '
    BEGIN { RS = "[{},]" }
    index($0, group) { inside = 1 }
    inside && index($0, name) { found = 1 }
    inside && found && index($0, metric) { sub(/.*: */, ""); gsub(/[ \n]/, ""); print; exit }' "$dir/$1"
}

# Comparisons of figures: one that is missing, null or no number is neither near nor less nor more.
# near A B WITHIN; at_most A B; exceeds A B BY: A is at least B + BY
compare() {
  awk -v a="$1" -v b="$2" -v by="$3" -v how="$4" '
    function number(text) { return text ~ /^[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?$/ }
    BEGIN {
      if (!number(a) || !number(b)) exit 1
      a += 0; b += 0; by += 0
      if (how == "near") exit !(a - b <= by && b - a <= by)
      exit !(a <= b - by)
    }'
}
near() { compare "$1" "$2" "$3" near; }
at_most() { compare "$1" "$2" 0 less; }
exceeds() { compare "$2" "$1" "$3" less; }
