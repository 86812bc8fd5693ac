"""Datetimes and dates, in the many ways that cells spell them."""

from __future__ import annotations

import datetime as dt
import threading
import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    Times = npt.NDArray[np.datetime64]

# Milliseconds from April 1970 to the year 2286: smaller numbers are hardly meant as times.
_EPOCH_MS = (10**10, 10**13)
# Different spellings of dates that one column may mix.
_MOST_FORMATS = 4
_MOST_GUESSED = 20
# Silencing warnings is for a whole process: two threads that do it would undo each other's end.
_SILENCE = threading.Lock()


def read_datetimes(series: pd.Series) -> Times:
    """Return datetime and date cells as datetime64 without time zone: the local time of each."""
    import pandas as pd

    if pd.api.types.is_object_dtype(series.dtype):
        # Their time zones may differ, and pandas has one for a column.
        series = series.map(_local, na_action="ignore")
    return _without_zone(pd.to_datetime(series, errors="coerce"))


def _local(cell: Any) -> Any:
    return cell.replace(tzinfo=None) if isinstance(cell, dt.datetime) else cell


def read_epoch(numbers: npt.NDArray[np.float64]) -> Times:
    """Return milliseconds since 1970, as pandas writes them to JSON, as datetime64 or NaT."""
    import numpy as np

    size = np.abs(numbers)
    likely = (size >= _EPOCH_MS[0]) & (size < _EPOCH_MS[1])
    times = np.full(len(numbers), np.datetime64("NaT", "ms"))
    times[likely] = numbers[likely].astype("M8[ms]")
    return times


def parse_times(texts: pd.Series) -> Times:
    """Return texts as datetime64 in UTC, or NaT.

    ISO dates are read first, the rest by the format that the first unread date suggests, and so
    on: dateutil's guess at every text would take minutes.
    """
    import pandas as pd

    texts = texts.astype(object)
    times = pd.to_datetime(texts, format="ISO8601", errors="coerce", utc=True)
    for _ in range(_MOST_FORMATS):
        unread = texts[times.isna() & texts.notna()]
        guessed = _guess(unread)
        if guessed is None:
            break
        found = pd.to_datetime(unread, format=guessed, errors="coerce", utc=True)
        times = times.fillna(found.astype(times.dtype))
    return _without_zone(times)


def _guess(texts: pd.Series) -> str | None:
    """Return the format of the first of a few texts that looks like a date."""
    import pandas as pd

    with _SILENCE, warnings.catch_warnings():
        # pandas warns that 31/12/2020 has its day first.
        warnings.simplefilter("ignore", UserWarning)
        for text in texts.head(_MOST_GUESSED):
            guessed: str | None = pd.tseries.api.guess_datetime_format(text)
            if guessed:
                return guessed
    return None


def _without_zone(times: Any) -> Times:
    import numpy as np

    return np.asarray(times.dt.tz_localize(None).to_numpy(), dtype="datetime64")
