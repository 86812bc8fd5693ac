"""Workers of every kind that find what they need in `__main__`."""
import concurrent.futures
import multiprocessing
import os
import subprocess
import sys
from dataclasses import dataclass

import joblib
import numpy


@dataclass(frozen=True)
class Task:
    number: int

    def run(self):
        return float(numpy.sqrt(self.number))


def work(task):
    return task.run(), __name__ in ("__main__", "__mp_main__"), os.environ["PROCESSING_JOB_NAME"]


def main():
    tasks = [Task(number) for number in range(4)]
    for method in ("fork", "spawn", "forkserver"):
        context = multiprocessing.get_context(method)
        with context.Pool(2) as pool:
            print(method, pool.map(work, tasks))
        with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as executor:
            print(method, list(executor.map(work, tasks)))
        queue = context.Queue()
        process = context.Process(target=queue.put, args=(Task(9),), name="named")
        process.start()
        print(queue.get(timeout=60), process.join(), process.exitcode)
    print(multiprocessing.process.ORIGINAL_DIR, joblib.__name__)
    print(multiprocessing.get_start_method(), multiprocessing.current_process().name)
    with concurrent.futures.ThreadPoolExecutor(2) as executor:
        print(list(executor.map(work, tasks)))
    shown = "import sys; print(sys.path, sys.flags, sys.argv)"
    print(subprocess.run([sys.executable, "-c", shown], capture_output=True, text=True).stdout)
    print(sys.modules["__main__"] is sys.modules["__mp_main__"], Task(1) == Task(1))
    pid = os.fork()
    if pid == 0:
        print("in a fork")
        sys.exit(3)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


if __name__ == "__main__":
    main()
