"""Search methods, one file each; the catalog names them by string, nothing imports them until one is built."""

if __name__ != "archgym.agents":
    # Reached when the repository root is on sys.path: two copies of every class would exist, equal to nothing.
    raise ImportError(f"this folder imports as 'archgym.agents', not {__name__!r}; write: import archgym.agents")
