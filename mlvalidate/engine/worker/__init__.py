"""Code that runs outside mlvalidate's own process, beside or inside the user's interpreter.

Standard library only, Python 3.8 or newer, no import of anything else of mlvalidate:

- `launcher.py` builds the sandbox, starts the script in it, waits and reports;
- `namespaces.py` is what the launcher asks of the kernel;
- `fork_server.py`, started by `serve.py`, runs in the user's interpreter, imports modules ahead
  (`preloading.py`) and forks scripts (`warm_script.py`), with the same launcher around them;
- `stub/` keeps the user's sitecustomize out of the server: it runs in each script;
- `layers.py` lists what a script changed in a copy-on-write layer;
- `harness/` is put in front of the script's own path: the stand-in for pip, the observer of
  refused network attempts, and the caller of a `main(...)` function.
"""
