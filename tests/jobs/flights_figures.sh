#!/bin/sh
# How the tests of the flight job find figures and compare them: what is missing never passes.
#   flights_figures.sh, from the project's root
set -- no-freshet no-oracle
. tests/jobs/flights.sh

cat >"$dir/summary.json" <<'END'
{
  "baselines": {
    "prior": {"log_loss": 0.5, "roc_auc": null}
  },
  "models": {
    "m": {
      "log_loss": 0.25,
      "roc_auc": 7e-1
    }
  }
}
END
[ "$(figure summary.json models m roc_auc)" = 7e-1 ] || fail "no roc_auc of m: $(figure summary.json models m roc_auc)"
[ "$(figure summary.json baselines prior log_loss)" = 0.5 ] || fail "no log_loss of prior"
[ -z "$(figure summary.json models n roc_auc)" ] || fail "a model that is not there has figures"

near 0.5 .5001 0.0002 && near .5001 0.5 0.0002 && near -1 -1 0 || fail "near is too strict"
near 0.5 0.51 0.005 && fail "near takes what is far"
at_most .25 2.5e-1 && at_most 9 10 || fail "at_most is too strict"
at_most 10 9 && fail "at_most takes more"
exceeds .83 .77 .05 && exceeds .9 .77 .05 || fail "exceeds is too strict"
exceeds .8 .77 .05 && fail "exceeds takes less"
for missing in "" null nan "0.5 0.6" abc .; do
  for other in "" null 0.5; do
    if near "$missing" "$other" 1 || near "$other" "$missing" 1; then fail "near takes '$missing' and '$other'"; fi
    if at_most "$missing" "$other" || at_most "$other" "$missing"; then fail "at_most takes '$missing' and '$other'"; fi
    if exceeds "$missing" "$other" -1 || exceeds "$other" "$missing" -1; then
      fail "exceeds takes '$missing' and '$other'"
    fi
  done
done
exit $failed
