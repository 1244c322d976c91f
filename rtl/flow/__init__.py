"""From a point of a block to metrics: synthesis, netlists, timing, activity, power."""
