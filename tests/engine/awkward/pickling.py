import enum
import inspect
import pickle
import subprocess
import sys
import typing
from dataclasses import dataclass, field

import numpy as np


class Colour(enum.Enum):
    RED = 1


@dataclass
class Point:
    x: "int"
    tags: typing.List[str] = field(default_factory=list)
    colour: Colour = Colour.RED


point = Point(1, ["a"])
again = pickle.loads(pickle.dumps([point, np.arange(3)]))
print(again, again[0] == point, Point.__module__, Point.__qualname__)
print(typing.get_type_hints(Point), inspect.getsource(Point), inspect.getfile(Point))
print(inspect.getmodule(Point) is sys.modules["__main__"], pickle.dumps(Point))
print(subprocess.run([sys.executable, "-c", "import pickle, sys; print(sys.stdin.buffer.read())"],
                     input=pickle.dumps(Colour.RED), capture_output=True).stdout)
