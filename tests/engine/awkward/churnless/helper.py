from . import __name__ as package

value = package, __name__
