"""Calls a check function of the user's with the tables of a step, and writes what it says.

    python check_tables.py CALL.json

The function is called with two mappings, port -> file name -> pandas DataFrame: of the inputs and
of the outputs. It returns None or True when all is well, False, a text, or a list of texts and
mappings (message, severity, port, file, column, hint, examples).
"""

import importlib
import importlib.util
import json
import os
import sys

_READERS = {
    ".csv": ("read_csv", {}),
    ".tsv": ("read_csv", {"sep": "\t"}),
    ".parquet": ("read_parquet", {}),
    ".json": ("read_json", {}),
    ".jsonl": ("read_json", {"lines": True}),
    ".ndjson": ("read_json", {"lines": True}),
}
_DIRECTIONS = ("inputs", "outputs")
_PACKED = (".gz", ".bz2", ".xz", ".zst")


def load(call):
    """Import the function."""
    place, _, name = call["function"].rpartition(":")
    sys.path[0] = call["root"]
    if place.endswith(".py"):
        path = os.path.join(call["root"], place)
        spec = importlib.util.spec_from_file_location("mlvalidate_check", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    else:
        module = importlib.import_module(place)
    return getattr(module, name)


def read_tables(folders, readers):
    """Return port -> file name -> DataFrame for the files that are tables.

    ``readers`` says how files of datasets are read: port -> file name -> [function of pandas,
    keywords]. The others are read as their names say.
    """
    import pandas

    tables = {}
    for port, folder in folders.items():
        tables[port] = {}
        for base, _, names in os.walk(folder):
            for name in names:
                path = os.path.join(base, name)
                relative = os.path.relpath(path, folder)
                reader = readers.get(port, {}).get(relative) or usual_reader(name)
                if reader is None:
                    continue
                try:
                    table = getattr(pandas, reader[0])(path, **reader[1])
                except ValueError:
                    continue  # JSON that is no table, an empty file: told elsewhere
                tables[port][relative] = table
    return tables


def usual_reader(name):
    """Return the function of pandas that reads a file of this name, with its keywords."""
    stem, ending = os.path.splitext(name.lower())
    if ending in _PACKED:
        ending = os.path.splitext(stem)[1]
        return None if ending == ".parquet" else _READERS.get(ending)
    return _READERS.get(ending)


def as_findings(said):
    """Return what the function returned as a list of mappings."""
    if said is None or said is True:
        return []
    if said is False:
        return [{}]
    if isinstance(said, str):
        said = [said]
    return [{"message": one} if isinstance(one, str) else dict(one) for one in said]


def main():
    """Call the function and write its findings."""
    with open(sys.argv[1]) as file:
        call = json.load(file)
    function = load(call)
    inputs, outputs = (read_tables(call[each], call["readers"][each]) for each in _DIRECTIONS)
    found = as_findings(function(inputs, outputs))
    with open(call["result"], "w") as file:
        json.dump(found, file, default=str)


if __name__ == "__main__":
    main()
