import os
import sys

import numpy

print(sys.stdin.read() == "", sys.stdin.isatty(), sys.stdout.isatty(), sys.stderr.isatty())
for stream in (sys.stdin, sys.stdout, sys.stderr):
    print(stream.name, stream.encoding, stream.errors, stream.line_buffering, stream.mode)
    print(type(stream.buffer).__name__)
print(sys.stdout is sys.__stdout__, sys.stdout.write_through)
listing = os.open("/proc/self/fd", os.O_RDONLY)
numbers = [int(name) for name in os.listdir("/proc/self/fd")]
print(sorted(number for number in numbers if number < listing), numpy.__name__)
print("to stderr", file=sys.stderr)
os.write(1, b"written by number\n")
os.system("echo written by a child")
sys.stdout.write("no end of line")
