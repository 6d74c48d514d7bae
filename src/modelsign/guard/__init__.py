"""The gate in front of the loaders: what was judged is what is loaded (DESIGN, security rules 6 and 11).

A model is copied into sealed memory once; the copy is checked against a trust policy the caller named; and only
on ALLOW are the very bytes of the copy handed to a loader. Later changes to the original cannot reach it.

The gate's promise is against the author of a model, against whoever can write its store, and against other users
of the machine. It is not against the same user with a debugger, nor against code that already runs in the process.
"""
