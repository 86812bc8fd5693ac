"""Calls `main(input_paths, output_paths, environ_vars, job_args)` of a script or module.

    python call_main.py CALL.json

The file says which script or module, which function, and the arguments. A parameter named
`logger`, which some scripts have, gets a standard logger.
"""

import argparse
import importlib
import importlib.util
import inspect
import json
import os
import sys


def load(call):
    """Import the script (by file) or the module (by name) and return it."""
    if call["module"]:
        sys.path[0] = call["root"]
        return importlib.import_module(call["module"])
    sys.path[0] = os.path.dirname(call["script"])
    name = os.path.splitext(os.path.basename(call["script"]))[0]
    spec = importlib.util.spec_from_file_location(name, call["script"])
    module = importlib.util.module_from_spec(spec)
    # Registered first, as the import system does: pickle and dataclasses look classes up there.
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def call_entry(function, call):
    """Call the function with what its signature asks for."""
    arguments = {
        "input_paths": call["input_paths"],
        "output_paths": call["output_paths"],
        "environ_vars": call["environ_vars"],
        "job_args": argparse.Namespace(**call["job_args"]),
    }
    parameters = inspect.signature(function).parameters
    # One that may be left out is left out: some scripts want a function there.
    if "logger" in parameters and parameters["logger"].default is inspect.Parameter.empty:
        import logging

        logging.basicConfig(level=logging.INFO)
        arguments["logger"] = logging.getLogger(function.__module__)
    named = set(arguments) <= set(parameters) or any(
        parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()
    )
    if named:
        function(**arguments)
    else:
        function(*arguments.values())


def main():
    """Read the call, load the code, call it."""
    with open(sys.argv[1]) as file:
        call = json.load(file)
    module = load(call)
    function = getattr(module, call["entry"], None)
    if not callable(function):
        sys.exit(
            "mlvalidate: %s has no function %r" % (call["module"] or call["script"], call["entry"])
        )
    sys.argv = [call["script"] or call["module"]]
    call_entry(function, call)


if __name__ == "__main__":
    main()
