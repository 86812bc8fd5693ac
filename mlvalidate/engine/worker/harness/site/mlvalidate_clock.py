"""Moves the clock that a script sees; runs in the user's interpreter, before the script.

The types of `datetime` stay what they are, since pickles and `isinstance` look at them: only their
methods that read the clock are replaced. `date.today` and `datetime.today` ask `time.time`. What
asks the system itself (numpy's "now", other programs) sees the clock as it is.
"""

import ctypes
import datetime
import gc
import time

# What takes a moment as its last argument, and how many arguments come before it.
_READERS = {"localtime": 0, "gmtime": 0, "ctime": 0, "strftime": 1, "asctime": 0}


def move(seconds):
    """Let `time` and `datetime` say a moment that lies ``seconds`` after the real one."""
    real = {name: getattr(time, name) for name in ("time", "time_ns", *_READERS)}
    nanoseconds = int(seconds * 10**9)

    def readers(name, before):
        def read(*arguments):
            if len(arguments) > before and arguments[before] is not None:
                return real[name](*arguments)
            now = real["time"]() + seconds
            moment = now if name in ("localtime", "gmtime", "ctime") else real["localtime"](now)
            return real[name](*arguments[:before], moment)

        return read

    time.time = lambda: real["time"]() + seconds
    time.time_ns = lambda: real["time_ns"]() + nanoseconds
    for name, before in _READERS.items():
        setattr(time, name, readers(name, before))
    moved = datetime.timedelta(seconds=seconds)
    now = datetime.datetime.now

    def moved_now(cls, tz=None):
        # By way of UTC: summer time may hold at one of the two moments and not at the other.
        moment = (now(datetime.timezone.utc) + moved).astimezone(tz)
        return cls.combine(moment, moment.timetz() if tz is not None else moment.time())

    def moved_utcnow(cls):
        moment = now(datetime.timezone.utc) + moved
        return cls.combine(moment, moment.time())

    _replace("now", moved_now)
    _replace("utcnow", moved_utcnow)


def _replace(name, function):
    """Set a class method of `datetime`, whose attributes Python itself does not let be set."""
    members = gc.get_referents(datetime.datetime.__dict__)[0]
    members[name] = classmethod(function)
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(datetime.datetime))
