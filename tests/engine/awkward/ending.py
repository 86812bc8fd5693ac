"""Ends in the way that its argument says."""
import atexit
import os
import signal
import sys
import threading

import numpy

atexit.register(print, "at exit, registered first")
atexit.register(lambda: print("at exit, registered last", numpy.add(1, 1)))


def fail():
    try:
        {}["missing"]
    except KeyError as error:
        raise ValueError("of another error") from error


def own_hook(kind, error, traceback):
    print("own hook", kind.__name__, error, traceback.tb_lineno, traceback.tb_next)


how = sys.argv[2]
print("begin", how)
if how == "text":
    sys.exit("with a text")
elif how == "none":
    sys.exit()
elif how == "number":
    sys.exit(7)
elif how == "large":
    sys.exit(300)
elif how == "object":
    sys.exit((1, 2))
elif how == "at once":
    os._exit(5)
elif how == "error":
    fail()
elif how == "group":
    raise RuntimeError("one\nand two")
elif how == "interrupt":
    raise KeyboardInterrupt
elif how == "interrupt signal":
    os.kill(os.getpid(), signal.SIGINT)
elif how == "terminate":
    os.kill(os.getpid(), signal.SIGTERM)
elif how == "abort":
    os.abort()
elif how == "pipe":
    reader, writer = os.pipe()
    os.close(reader)
    os.write(writer, b"x")
elif how == "hook":
    sys.excepthook = own_hook
    fail()
elif how == "exit at exit":
    atexit.register(fail)
elif how == "thread":
    threading.Thread(target=fail, name="worker").start()
elif how == "late thread":
    threading.Timer(0.2, print, ["after the end of the script"]).start()
elif how == "recursion":
    def deeper():
        deeper()

    deeper()
elif how == "unraisable":
    class Odd:
        def __del__(self):
            raise ValueError("in a finalizer")

    Odd()
print("end")
