#!/bin/sh
# The year of flights, its topics of three partitions by flight_id. Rows of one minute then come in the order of their
# partitions: the features equal, row for row, those of the independent program given that order, and where ties are
# excluded it makes no difference.
#   flights_partitions.sh FRESHET FLIGHTS_ORACLE, from the project's root
. tests/jobs/flights.sh

unpack
fill year 3

# The shipped job up to its windows: what learns from them is none of this test's business.
awk '/^  # Lateness has/ { skip = 1 } /^models:/ { skip = 1 } /^sinks:/ { exit } !skip { print }
  END { print "sinks:"
        print "  features: {topic: flights.features, from: by_dest, key: flight_id,"
        print "             fields: [flight_id, origin_flights_1h, origin_delay_3h, carrier_delay_1h, dest_delay_3h]}" }' \
  $job/job.yaml >"$dir/job.yaml"

# The order of rows: by time, departures before arrivals, then partition and offset; as `d` or `a` and the place in its file.
for stream in departures arrivals; do
  "$freshet" consume flights.$stream --local "$dir/year" --from-beginning --until-end --envelope |
    awk -v letter="$(echo $stream | cut -c1)" '
      function field(name) {
        if (!match($0, "\"" name "\":\"?[^,}\"]*")) exit 1
        text = substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 3)
        sub(/^"/, "", text)
        return text
      }
      FNR == NR { place[field("flight_id")] = FNR - 1; next }
      { print field(letter == "d" ? "departed_at" : "arrived_at"), letter == "d" ? 0 : 1, field("partition"),
              field("offset"), letter, place[field("flight_id")] }' "$dir/$stream.ndjson" -
done | LC_ALL=C sort -k1,1 -k2,2n -k3,3n -k4,4n | cut -d' ' -f5,6 >"$dir/order"

run "$dir/job.yaml" year ordered.json
features year >"$dir/features"
"$oracle" "$dir/departures.ndjson" "$dir/arrivals.ndjson" --order "$dir/order" --features "$dir/expected"
[ "$(wc -l <"$dir/features")" = 328522 ] || fail "there are $(wc -l <"$dir/features") lines of features, not 328522"
cmp "$dir/features" "$dir/expected" || fail "with three partitions, features differ from the independent program's"
"$oracle" "$dir/departures.ndjson" "$dir/arrivals.ndjson" --features "$dir/by_time"
[ "$(wc -l <"$dir/by_time")" = 328522 ] || fail "the independent program has $(wc -l <"$dir/by_time") lines, not 328522"
sort "$dir/by_time" >"$dir/by_time.sorted"
sort "$dir/expected" | cmp -s - "$dir/by_time.sorted" && fail "the order of partitions shows nowhere: this test sees nothing"

without_ties "$dir/job.yaml" | sed 's/flights\.features/flights.without_ties/' >"$dir/ties.yaml"
run "$dir/ties.yaml" year ties.json --set prefix=ties.
features year flights.without_ties | sort >"$dir/ties.sorted"
"$oracle" "$dir/departures.ndjson" "$dir/arrivals.ndjson" --ties exclude --features "$dir/expected_ties"
sort "$dir/expected_ties" | cmp - "$dir/ties.sorted" || fail "with three partitions, features without ties differ"
exit $failed
