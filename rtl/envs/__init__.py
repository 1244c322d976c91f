"""Design spaces over the blocks of the library, and over modules of one's own, as simulators."""
