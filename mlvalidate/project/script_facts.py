"""What can be read off a script without running it. Plain data."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Option:
    """One option or positional of a script's argparse parser.

    ``type`` is the name of a builtin type, '' for others. ``choices`` is None where there are none
    or where they are not written out.
    """

    names: tuple[str, ...]
    line: int
    required: bool = False
    type: str = ""
    choices: tuple[object, ...] | None = None
    takes_value: bool = True

    @property
    def is_positional(self) -> bool:
        return not self.names[0].startswith("-")


@dataclass(frozen=True)
class Read:
    """A place that reads a name: an environment variable, or an attribute of `job_args`.

    ``certain``: whoever runs the script passes here, and without a value it fails.
    """

    name: str
    file: str
    line: int
    certain: bool


@dataclass(frozen=True)
class Literal:
    """A text below /opt/ml. ``is_prefix``: more follows that is not written out."""

    path: str
    file: str
    line: int
    is_prefix: bool = False


@dataclass(frozen=True)
class Import:
    """A module that is imported. ``certain``: at the top, with nobody catching ImportError."""

    module: str
    file: str
    line: int
    certain: bool


@dataclass(frozen=True)
class Function:
    """A function at the top of a script: the names of its parameters, and how many it needs."""

    line: int
    parameters: tuple[str, ...]
    required: int
    takes_any: bool


@dataclass
class ScriptFacts:
    """Everything that was read off a script and the modules of its own that it imports.

    ``options`` is None where there is no parser, or one that can't be read: subcommands, options
    made in a loop, a parser that is passed around, `parse_known_args` whose rest is looked at.
    ``ignores_unknown``: options that the parser does not have are passed over without a word.
    """

    file: str
    readable: bool = True
    options: list[Option] | None = None
    ignores_unknown: bool = False
    environment: list[Read] = field(default_factory=list)
    # With a default, or with None for one.
    optional_environment: list[Read] = field(default_factory=list)
    # Keys of the mapping that a callable step gets, with or without a default.
    environ_vars: list[Read] = field(default_factory=list)
    job_args: list[Read] = field(default_factory=list)
    literals: list[Literal] = field(default_factory=list)
    imports: list[Import] = field(default_factory=list)
    functions: dict[str, Function] = field(default_factory=dict)
    # Names that the script imports or assigns at its top: `main` may be one.
    names: set[str] = field(default_factory=set)
    # It defines functions, and neither calls anything nor imports modules of its own.
    runs_nothing: bool = False
    texts: set[str] = field(default_factory=set)
