#!/bin/sh
# The year of flights on the embedded log: every feature of every departure equals, row for row, those of the independent
# program, and both models and all baselines score what it says they must.
#   flights_year.sh FRESHET FLIGHTS_ORACLE, from the project's root
. tests/jobs/flights.sh

unpack
fill year 1
with_features $job/job.yaml >"$dir/job.yaml"
run "$dir/job.yaml" year summary.json
"$oracle" "$dir/departures.ndjson" "$dir/arrivals.ndjson" --features "$dir/expected" --metrics "$dir/oracle.json"
features year >"$dir/features"
[ "$(wc -l <"$dir/features")" = 328522 ] || fail "there are $(wc -l <"$dir/features") lines of features, not 328522"
cmp "$dir/features" "$dir/expected" || fail "features differ from the independent program's"

for model in with_delay without_delay; do
  for metric in log_loss roc_auc accuracy brier calibration_error; do
    ours=$(figure summary.json models $model $metric) theirs=$(figure oracle.json models $model $metric)
    echo "$model $metric $ours (independent: $theirs)"
    near "$ours" "$theirs" 0.0005 || fail "$model $metric is $ours, the independent program says $theirs"
  done
done
for baseline in prior last_label late_already; do
  for metric in log_loss roc_auc accuracy brier calibration_error; do
    ours=$(figure summary.json baselines $baseline $metric) theirs=$(figure oracle.json baselines $baseline $metric)
    near "$ours" "$theirs" 0.0001 || fail "$baseline $metric is $ours, the independent program says $theirs"
  done
done
at_most "$(figure summary.json models with_delay log_loss)" .2645 || fail "with_delay learns too little"
at_most .9150 "$(figure summary.json models with_delay roc_auc)" || fail "with_delay ranks too badly"
at_most "$(figure summary.json models without_delay log_loss)" .4530 || fail "without_delay learns too little"
at_most .768 "$(figure summary.json models without_delay roc_auc)" || fail "without_delay ranks too badly"

# The budget of the job and 64 MiB.
at_most "$(awk '/peak_resident_bytes/ { gsub(/[^0-9]/, ""); print }' "$dir/summary.json")" 335544320 ||
  fail "more memory than the budget and 64 MiB: $(grep peak_resident "$dir/summary.json")"
grep -E 'cpu_seconds|"seconds"|peak_resident' "$dir/summary.json"
exit $failed
