"""BERT-base, ViT-B/16 and one block of a GPT-3 decoder, from one transformer block.

Biases ride in the accumulators, the scale of the scores in the softmax, and embeddings are look-ups: no layers.
"""

from __future__ import annotations

from dataclasses import dataclass

from archgym.errors import InvalidInput
from archgym.sims.npu.layers import Layer, Network, conv, gemm, vector

BERT_SOURCE = (
    "Devlin et al., BERT, NAACL 2019, section 3: 12 layers, hidden 768, 12 heads, feed-forward 4 x hidden; query, key "
    "and value projected apart, and a pooler on the first token, as in the authors' code"
)
VIT_SOURCE = "Dosovitskiy et al., An image is worth 16x16 words, ICLR 2021, table 1 (Base), 224x224 images"
GPT3_SOURCE = "Brown et al., Language models are few-shot learners, NeurIPS 2020, table 2.1 (6.7B): one of 32 blocks"

BERT_POSITIONS = 512
"""Learned positions: a longer sequence has none (Devlin et al., NAACL 2019, appendix A.2)."""
GPT3_CONTEXT = 2048
"""Brown et al., NeurIPS 2020, section 2.1."""


@dataclass(frozen=True)
class _Block:
    """One transformer block: `queries` new tokens of each sample look at `context` tokens."""

    batch: int
    queries: int
    context: int
    hidden: int
    heads: int
    merged_qkv: bool = True

    def layers(self, name: str, *, norm_first: bool) -> Network:
        """Attention and feed-forward, each with its residual and its normalisation before or after."""
        parts = ("attention", self._attention(name)), ("mlp", self._mlp(name))
        return tuple(
            layer
            for part, body in parts
            for layer in (
                *((self._norm(f"{name}.{part}.norm"),) if norm_first else ()),
                *body,
                self._vector(f"{name}.{part}.add", "add", self.hidden),
                *(() if norm_first else (self._norm(f"{name}.{part}.norm"),)),
            )
        )

    def _attention(self, name: str) -> Network:
        heads, head = self.batch * self.heads, self.hidden // self.heads
        scores = self.heads * self.queries * self.context
        projections = {"qkv": 3} if self.merged_qkv else {"query": 1, "key": 1, "value": 1}
        return (
            *(self._linear(f"{name}.attention.{part}", n * self.hidden) for part, n in projections.items()),
            gemm(f"{name}.attention.scores", m=self.queries, n=self.context, k=head, batch=heads),
            vector(f"{name}.attention.softmax", "softmax", scores, width=self.context, batch=self.batch),
            gemm(f"{name}.attention.values", m=self.queries, n=head, k=self.context, batch=heads),
            self._linear(f"{name}.attention.output", self.hidden),
        )

    def _mlp(self, name: str) -> Network:
        wide = 4 * self.hidden
        return (
            self._linear(f"{name}.mlp.up", wide),
            self._vector(f"{name}.mlp.gelu", "gelu", wide, fused=True),
            self._linear(f"{name}.mlp.down", self.hidden, wide),
        )

    def _linear(self, name: str, features: int, inputs: int = 0) -> Layer:
        return gemm(name, m=self.batch * self.queries, n=features, k=inputs or self.hidden)

    def _vector(self, name: str, operation: str, features: int, *, fused: bool = False) -> Layer:
        return vector(name, operation, self.queries * features, fused=fused, batch=self.batch)

    def _norm(self, name: str) -> Layer:
        return vector(name, "layernorm", self.queries * self.hidden, width=self.hidden, batch=self.batch)


def bert_base(batch: int = 1, sequence: int = 128) -> Network:
    """The encoder and the pooler.

    Raises:
        InvalidInput: for a sequence longer than the model has positions.
    """
    _within("bert-base", "sequence", sequence, BERT_POSITIONS)
    hidden = 768
    block = _Block(batch, sequence, sequence, hidden, heads=12, merged_qkv=False)
    pooler = gemm("pooler", m=batch, n=hidden, k=hidden)
    return (
        vector("embeddings.position", "add", sequence * hidden, batch=batch),
        vector("embeddings.segment", "add", sequence * hidden, batch=batch),
        vector("embeddings.norm", "layernorm", sequence * hidden, width=hidden, batch=batch),
        *(layer for number in range(12) for layer in block.layers(f"layer{number}", norm_first=False)),
        pooler,
        vector("pooler.tanh", "activation", hidden, fused=True, batch=batch),
    )


def vit_b16(batch: int = 1) -> Network:
    """The patch convolution, twelve blocks over 14 x 14 patches and a class token, and the classifier."""
    hidden, patch, tokens = 768, 16, 14 * 14 + 1
    block = _Block(batch, tokens, tokens, hidden, heads=12)
    return (
        conv("patches", in_h=224, in_w=224, in_c=3, out_c=hidden, kernel=patch, stride=patch, batch=batch),
        vector("positions", "add", tokens * hidden, batch=batch),
        *(layer for number in range(12) for layer in block.layers(f"layer{number}", norm_first=True)),
        vector("norm", "layernorm", tokens * hidden, width=hidden, batch=batch),
        gemm("head", m=batch, n=1000, k=hidden),
    )


def gpt3_7b_prefill(batch: int = 1, sequence: int = 1024) -> Network:
    """One block over prompts of `sequence` tokens; scores above the diagonal are computed and masked.

    Raises:
        InvalidInput: for a sequence longer than the context.
    """
    _within("gpt3-7b-prefill", "sequence", sequence, GPT3_CONTEXT)
    return _Block(batch, sequence, sequence, 4096, heads=32).layers("block", norm_first=True)


def gpt3_7b_decode(batch: int = 1, context: int = 1024) -> Network:
    """One block for one new token of each sequence, which looks at `context` tokens, itself included.

    Raises:
        InvalidInput: for more tokens than the context holds.
    """
    _within("gpt3-7b-decode", "context", context, GPT3_CONTEXT)
    return _Block(batch, 1, context, 4096, heads=32).layers("block", norm_first=True)


def _within(network: str, size: str, tokens: int, most: int) -> None:
    if tokens > most:
        raise InvalidInput(f"network {network!r}: {size}={tokens} is above the model's context; allowed: up to {most}")
