"""Starts a fork server; nothing else is in this `__main__`, which becomes that of the scripts."""

import fork_server

fork_server.main()
