"""The clock that a second run sees, in an interpreter of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mlvalidate import engine

SITE = Path(engine.__file__).parent / "worker" / "harness" / "site"
SHIFT = 397 * 86_400 + 7 * 3600
SCRIPT = f"""
import sys, time
real = time.time()
sys.path.insert(0, {str(SITE)!r})
import mlvalidate_clock
mlvalidate_clock.move({SHIFT})
import calendar, datetime, json, logging, pickle
class Subclass(datetime.datetime): pass
utc = datetime.timezone.utc
moments = {{
    "time": time.time(),
    "time_ns": time.time_ns() / 1e9,
    "now": datetime.datetime.now().timestamp(),
    "now in UTC": datetime.datetime.now(tz=utc).timestamp(),
    "utcnow": datetime.datetime.utcnow().replace(tzinfo=utc).timestamp(),
    "today": datetime.datetime.today().timestamp(),
    "date": datetime.datetime.combine(datetime.date.today(), datetime.datetime.now().time())
        .timestamp(),
    "gmtime": calendar.timegm(time.gmtime()),
    "localtime": time.mktime(time.localtime()),
    "strftime": time.mktime(time.strptime(time.strftime("%Y %j %T"), "%Y %j %H:%M:%S")),
    "ctime": time.mktime(time.strptime(time.ctime())),
    "asctime": time.mktime(time.strptime(time.asctime())),
    "log": logging.LogRecord("", 1, "", 1, "", (), None).created,
    "pickled": pickle.loads(pickle.dumps(datetime.datetime.now())).timestamp(),
}}
assert isinstance(Subclass.now(utc), Subclass)
assert type(datetime.datetime.now()) is datetime.datetime
assert time.gmtime(0).tm_year == 1970 and time.strftime("%Y", time.gmtime(0)) == "1970"
assert time.ctime(0) == time.asctime(time.localtime(0))
print(json.dumps({{name: moment - real for name, moment in moments.items()}}))
"""


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kolkata"])
def test_every_way_to_ask_for_the_time(zone: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT],
        env={"TZ": zone},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    for name, ahead in json.loads(ran.stdout).items():
        assert ahead == pytest.approx(SHIFT, abs=60), name
