"""LLM inference: decoder models, operators, requests and batching."""
