"""Hardware blocks, a folder each: RTL, its golden model and its bench."""

if __name__ != "archgym.rtl":
    # Reached when the repository root is on sys.path: two copies of every class would exist, equal to nothing.
    raise ImportError(f"this folder imports as 'archgym.rtl', not {__name__!r}; write: import archgym.rtl")
