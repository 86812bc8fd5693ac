import os
import signal
import threading
import time

import numpy

print([(number, signal.getsignal(number)) for number in sorted(signal.valid_signals())])
print(signal.pthread_sigmask(signal.SIG_BLOCK, []), signal.getitimer(signal.ITIMER_REAL))
print(threading.current_thread(), threading.main_thread() is threading.current_thread())
print(threading.active_count(), len(threading.enumerate()), numpy.__name__)
seen = []
signal.signal(signal.SIGUSR1, lambda number, frame: seen.append((number, frame.f_code.co_name)))
signal.signal(signal.SIGALRM, lambda number, frame: seen.append(number))
os.kill(os.getpid(), signal.SIGUSR1)
signal.setitimer(signal.ITIMER_REAL, 0.05)
time.sleep(0.2)
try:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(5)
except KeyboardInterrupt:
    seen.append("interrupted")
pid = os.fork()
if pid == 0:
    os._exit(4)
print(os.waitpid(pid, 0) == (pid, 4 << 8), seen)
