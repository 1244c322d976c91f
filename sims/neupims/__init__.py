"""NeuPIMs (ASPLOS'24) and its baselines: an NPU with dual-row-buffer PIM."""
