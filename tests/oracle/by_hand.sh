#!/bin/sh
# Six flights whose features, baselines and first learning step were worked out on paper, against the oracle.
#   by_hand.sh FLIGHTS_ORACLE
set -eu
oracle=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

cat >departures.csv <<'END'
departed_at,flight_id,carrier,origin,dest,tailnum,distance,dep_delay,sched_hour
2013-01-31T10:00:00Z,1,AA,JFK,MIA,,1000,10,6
2013-01-31T10:00:00Z,2,UA,JFK,BOS,N1,200,20,5
2013-01-31T10:30:00Z,3,AA,JFK,MIA,N2,1000,-4,6
2013-01-31T11:00:00Z,4,AA,EWR,MIA,N3,1000,40,6
2013-01-31T12:59:00Z,5,UA,JFK,MIA,N4,1000,0,8
2013-01-31T13:00:00Z,6,AA,JFK,MIA,N5,1000,6,8
END
cat >arrivals.ndjson <<'END'
{"arrived_at":"2013-01-31T11:00:00Z","flight_id":"2","carrier":"UA","dest":"BOS","arr_delay":30}
{"arrived_at":"2013-01-31T12:59:00Z","flight_id":"1","carrier":"AA","dest":"MIA","arr_delay":2}
{"arrived_at":"2013-01-31T13:30:00Z","flight_id":"4","carrier":"AA","dest":"MIA","arr_delay":50}
{"arrived_at":"2013-01-31T14:00:00Z","flight_id":"5","carrier":"UA","dest":"MIA","arr_delay":-8}
{"arrived_at":"2013-02-01T00:00:00Z","flight_id":"6","carrier":"AA","dest":"MIA","arr_delay":16}
END

failed=0
expect_features() { # expect_features WHAT OPTIONS..., the lines on standard input
  what=$1
  shift
  { echo flight_id,origin_flights_1h,origin_delay_3h,carrier_delay_1h,dest_delay_3h; cat; } >expected.csv
  "$oracle" departures.csv arrivals.ndjson --features actual.csv "$@"
  if ! diff expected.csv actual.csv; then
    echo "features differ: $what" >&2
    failed=1
  fi
}

# The window is open at its old end (4 and 6 do not see 10:00), a departure comes before the arrivals of its minute
# (5 does not see 12:59).
expect_features "by time" <<'END'
1,0,,,
2,1,10,,
3,2,15,10,
4,0,,-4,
5,0,8.666666666666666,,
6,1,-2,,2
END
expect_features "ties excluded" --ties exclude <<'END'
1,0,,,
2,0,,,
3,2,15,10,
4,0,,-4,
5,0,8.666666666666666,,
6,1,-2,,2
END
expect_features "the leak" --leak <<'END'
1,1,10,10,
2,2,15,20,
3,3,8.666666666666666,3,
4,1,40,18,
5,1,6.5,0,
6,2,0.6666666666666666,6,2
END

# Rows that come late see the rows ordered before them, never those later in event time.
printf '%s\n' 'd 1' 'a 0' 'd 2' 'd 3' 'd 5' 'a 1' 'd 4' 'd 0' >order
expect_features "another order" --order order <<'END'
2,0,,,
3,1,20,,
4,0,,-4,
6,0,-4,,
5,0,8,,2
1,1,20,,
END

# 1 to 4 are predicted before any label. The label of 2 makes every weight it touched 0.5 / (1.5 / 0.1); flight 5 shares
# 7 of them with the one model (constant, 4 missing, carrier, origin) and 9 with the other: sigmoid(7/30), sigmoid(9/30).
"$oracle" departures.csv arrivals.ndjson --predictions predictions.csv --metrics metrics.json
for line in 1,0.5,0.5 2,0.5,0.5 3,0.5,0.5 4,0.5,0.5 '5,0\.55807[0-9]*,0\.57444[0-9]*'; do
  grep -Eqx "$line" predictions.csv || { echo "no prediction $line in" >&2; cat predictions.csv >&2; failed=1; }
done

# The labels come as true false true false true. The prior said 1/2 1/2 1/2 2/3 1/2.
expect_metrics() {
  tr -d '\n' <metrics.json | grep -q "$1" || { echo "no $1 in" >&2; cat metrics.json >&2; failed=1; }
}
expect_metrics '"departures": 6, "labelled": 5, "never_labelled": 1, "labels_unmatched": 0'
expect_metrics '"prior": {"log_loss": 0.774[0-9]*, "roc_auc": 0.25, "accuracy": 0.6, "brier": 0.2888[0-9]*'
expect_metrics '"last_label": {"log_loss": 0.774[0-9]*, "roc_auc": 0.25, "accuracy": 0.4, "brier": 0.2888[0-9]*'
expect_metrics '"late_already": {"log_loss": 0.774[0-9]*, "roc_auc": 0.333[0-9]*, "accuracy": 0.8, "brier": 0.2888[0-9]*'
expect_metrics '"2013-02": {"models": .*"late_already": {"log_loss": 1.098[0-9]*, "roc_auc": null, "accuracy": 0, '

# What it cannot read it does not guess.
refuse() {
  if "$oracle" "$@" --features actual.csv 2>/dev/null; then
    echo "accepted: $*" >&2
    failed=1
  fi
}
echo 'd 6' >order
refuse departures.csv arrivals.ndjson --order order
printf 'd 0\nd 0\n' >order
refuse departures.csv arrivals.ndjson --order order
refuse departures.csv absent.csv
sed 's/12:59:00Z/12:59/' departures.csv >broken.csv
refuse broken.csv arrivals.ndjson
sed 's/"arr_delay":50//' arrivals.ndjson >broken.ndjson
refuse departures.csv broken.ndjson
exit $failed
