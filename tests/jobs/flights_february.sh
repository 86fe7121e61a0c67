#!/bin/sh
# February of the flights, many ways: cuts, shards and epochs change nothing; partitions change nothing where ties are
# excluded; and a model that sees its own row is caught, by its figures and by `forbid`.
#   flights_february.sh FRESHET FLIGHTS_ORACLE, from the project's root
. tests/jobs/flights.sh

unpack --month 2
fill base 1
with_features $job/job.yaml >"$dir/job.yaml"

# What a run committed: predictions (with the version that made each), features, figures of the models.
results() {
  for topic in flights.predictions flights.features flights.metrics; do
    "$freshet" consume $topic --local "$dir/$1" --from-beginning --until-end >"$dir/$1.$topic"
  done
  sed -n '/"baselines"/,/^  },/p; /"models"/,/^  },/p' "$dir/$1.json" >"$dir/$1.figures"
  for part in flights.predictions flights.features flights.metrics figures; do
    [ -s "$dir/$1.$part" ] || fail "the run $1 has no $part to compare"
  done
}
same() {
  for part in flights.predictions flights.features flights.metrics figures; do
    cmp "$dir/base.$part" "$dir/$1.$part" || fail "$2 changes $part"
  done
}
run "$dir/job.yaml" base base.json
results base
[ "$(wc -l <"$dir/base.flights.predictions")" = 23710 ] || fail "not every departure has a prediction"
for variant in shards=1 shards=3 commit.interval=1ms commit.interval=1h; do
  log=$(echo $variant | tr '=.' '--')
  fill "$log" 1
  run "$dir/job.yaml" "$log" "$log.json" --set $variant
  results "$log"
  same "$log" "--set $variant"
done

# Ties: with rows of equal time left out, the partition a row came by makes no difference.
without_ties "$dir/job.yaml" >"$dir/ties.yaml"
"$oracle" "$dir/departures.ndjson" "$dir/arrivals.ndjson" --ties exclude --features "$dir/expected"
sort "$dir/expected" >"$dir/expected.sorted"
for partitions in 1 3; do
  fill ties$partitions $partitions
  run "$dir/ties.yaml" ties$partitions ties$partitions.json
  features ties$partitions | sort >"$dir/ties$partitions.sorted"
  cmp "$dir/ties$partitions.sorted" "$dir/expected.sorted" || fail "with $partitions partitions, features without ties differ"
done

# The sentinel: windows that hold the current row leak what without_delay must not know.
sed 's/exclude_current: true/exclude_current: false/' "$dir/job.yaml" >"$dir/leak.yaml"
if "$freshet" check "$dir/leak.yaml" 2>"$dir/refused"; then fail "check does not see the leak"; fi
grep -q 'forbid' "$dir/refused" && grep -q 'origin_delay_3h.*dep_delay' "$dir/refused" ||
  fail "check does not name the path of the leak: $(cat "$dir/refused")"
sed '/forbid:/d' "$dir/leak.yaml" >"$dir/leak_allowed.yaml"
fill leak 1
run "$dir/leak_allowed.yaml" leak leak.json
honest=$(figure base.json models without_delay roc_auc) leaky=$(figure leak.json models without_delay roc_auc)
echo "without_delay: AUC $honest, with its own row in the windows $leaky"
exceeds "$leaky" "$honest" .05 || fail "the sentinel does not see the leak"
exit $failed
