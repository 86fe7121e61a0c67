#!/bin/sh
# The flights kept in the project, unpacked by their own script, are whole and give the figures that their README quotes.
#   flights_data.sh FLIGHTS_ORACLE, from the project's root
. tests/harness/script.sh
oracle=$1
job=jobs/flight-delays

for stream in departures arrivals; do
  $job/rows $stream >"$dir/$stream.ndjson"
  xz -dc $job/data/$stream.csv.xz >"$dir/$stream.csv"
  $job/rows $stream --month 2 | wc -l >>"$dir/february"
done
[ "$(tr '\n' ' ' <"$dir/february")" = "23710 23622 " ] || fail "February has other rows: $(cat "$dir/february")"

# Both ways of reading lead to the same features, so the script loses nothing.
"$oracle" "$dir/departures.csv" "$dir/arrivals.csv" --features "$dir/from_csv"
"$oracle" "$dir/departures.ndjson" "$dir/arrivals.ndjson" --features "$dir/from_ndjson" --metrics "$dir/metrics.json"
cmp "$dir/from_csv" "$dir/from_ndjson" || fail "the NDJSON of rows says something else than the CSV"

expect() {
  tr -d '\n' <"$dir/metrics.json" | grep -q "$1" || fail "no $1 in $(head -4 "$dir/metrics.json")"
}
expect '"departures": 328521, "labelled": 327346, "never_labelled": 1175, "labels_unmatched": 0'
expect '"with_delay": {"log_loss": 0.2585[0-9]*, "roc_auc": 0.9195'
expect '"without_delay": {"log_loss": 0.4400[0-9]*, "roc_auc": 0.7841'
expect '"late_already": {"log_loss": 0.3309[0-9]*, "roc_auc": 0.8342'

# A damaged archive is an error, never a shorter year.
mkdir -p "$dir/job/data"
cp $job/rows "$dir/job/rows"
head -c 1000000 $job/data/arrivals.csv.xz >"$dir/job/data/arrivals.csv.xz"
if "$dir/job/rows" arrivals >/dev/null 2>&1; then fail "rows took a damaged archive for a whole one"; fi
if "$dir/job/rows" departures >/dev/null 2>&1; then fail "rows did not miss the departures"; fi
for wrong in "" "weather" "arrivals --month 13" "arrivals --month" "arrivals --year 2"; do
  # shellcheck disable=SC2086
  if $job/rows $wrong >/dev/null 2>&1; then fail "rows took: $wrong"; fi
done
exit $failed
