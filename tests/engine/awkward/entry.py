"""A function and a program."""
import logging
import sys

import numpy


def main(input_paths, output_paths, environ_vars, job_args, logger):
    logger.info("called in %s with %s", __name__, sys.argv)
    print(sorted(input_paths), output_paths, environ_vars, job_args, sys.path[:3])
    print(sys.modules["__main__"].__file__, numpy.__name__)
    raise RuntimeError("in main")
