"""Decoder-only language models as data: dimensions with their sources, parameters and bytes in closed form."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral

from archgym.errors import InvalidInput, UnknownName

__all__ = ["MODELS", "Decoder", "model", "whole"]


def whole(value: object) -> bool:
    """Whether a size is a whole number: neither a fraction nor a text nor a truth value."""
    return isinstance(value, Integral) and not isinstance(value, bool)


@dataclass(frozen=True)
class Decoder:
    """One decoder-only transformer.

    `kv_heads` equals `heads` with multi-head attention and is smaller with grouped queries. `ffn_matrices` is 2 (up,
    down) or 3 (up, gate, down: SwiGLU). With `experts`, every `moe_every`-th layer has that many feed-forward networks
    of the same form, of which a token visits `top_k`. `tied`: the output layer is the transposed embedding table;
    `positions`: a learned table of `context` positions. Sizes are elements; bytes come with a precision.

    Raises:
        InvalidInput: for a size below 1, query heads that the key heads do not divide, or `top_k` above `experts`.
    """

    name: str
    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head_dim: int
    ffn_hidden: int
    ffn_matrices: int
    experts: int = 0
    top_k: int = 0
    moe_every: int = 1
    context: int = 2048
    vocab: int = 50257
    tied: bool = False
    positions: bool = False
    source: str = ""

    def __post_init__(self) -> None:
        for size in (
            "layers",
            "hidden",
            "heads",
            "kv_heads",
            "head_dim",
            "ffn_hidden",
            "moe_every",
            "context",
            "vocab",
        ):
            if not whole(getattr(self, size)) or getattr(self, size) < 1:
                raise InvalidInput(f"{self.name}: {size} {getattr(self, size)} is not allowed; allowed: 1 and more")
        if self.heads % self.kv_heads:
            raise InvalidInput(f"{self.name}: {self.heads} heads cannot share {self.kv_heads} key heads evenly")
        if self.ffn_matrices not in {2, 3}:
            raise InvalidInput(f"{self.name}: ffn_matrices {self.ffn_matrices} is not allowed; allowed: 2, 3")
        if not (whole(self.experts) and whole(self.top_k)):
            raise InvalidInput(f"{self.name}: top_k {self.top_k!r} of {self.experts!r} experts; allowed: whole numbers")
        if self.experts < 0 or bool(self.experts) != bool(self.top_k) or not 0 <= self.top_k <= self.experts:
            raise InvalidInput(
                f"{self.name}: top_k {self.top_k} of {self.experts} experts; allowed: 1 to experts, or 0 of 0"
            )

    @property
    def group(self) -> int:
        """Query heads that share one key head."""
        return self.heads // self.kv_heads

    @property
    def q_width(self) -> int:
        """Elements of the query vector of one token."""
        return self.heads * self.head_dim

    @property
    def kv_width(self) -> int:
        """Elements of the key vector (and of the value vector) of one token."""
        return self.kv_heads * self.head_dim

    @property
    def moe_layers(self) -> int:
        """How many layers have experts."""
        return self.layers // self.moe_every if self.experts else 0

    def is_moe(self, layer: int) -> bool:
        """Whether a layer (from 0) has experts: each `moe_every`-th, so that layer 0 is dense when that is 2."""
        return bool(self.experts) and (layer + 1) % self.moe_every == 0

    def attention_parameters(self) -> int:
        """Weights of query, key, value and output projection of one layer."""
        return 2 * self.hidden * (self.q_width + self.kv_width)

    def ffn_parameters(self) -> int:
        """Weights of one feed-forward network (one expert)."""
        return self.ffn_matrices * self.hidden * self.ffn_hidden

    def layer_parameters(self, *, moe: bool) -> int:
        """Weights of one layer: attention, feed-forward (with `moe`: all experts and the gate), two norms."""
        networks = self.experts * (self.ffn_parameters() + self.hidden) if moe else self.ffn_parameters()
        return self.attention_parameters() + networks + 2 * self.hidden

    def embedding_parameters(self) -> int:
        """Token and position tables, output layer and final norm."""
        tables = self.vocab * (1 if self.tied else 2) + (self.context if self.positions else 0)
        return self.hidden * (tables + 1)

    def parameters(self) -> int:
        """All weights; the biases that some models have (below 0.1 %) are left out."""
        sparse = self.moe_layers
        layers = sparse * self.layer_parameters(moe=True) + (self.layers - sparse) * self.layer_parameters(moe=False)
        return layers + self.embedding_parameters()

    def active_parameters(self) -> int:
        """Weights one token meets: as `parameters`, with `top_k` experts a layer in place of all."""
        return self.parameters() - self.moe_layers * (self.experts - self.top_k) * self.ffn_parameters()

    def weight_bytes(self, precision_bytes: float = 2) -> int:
        """Bytes of all weights."""
        return round(self.parameters() * precision_bytes)

    def kv_bytes_per_token(self, precision_bytes: float = 2) -> int:
        """Bytes of the keys and values of one token, all layers."""
        return round(2 * self.layers * self.kv_width * precision_bytes)


def _dense(name: str, layers: int, heads: int, source: str, *, tied: bool = True) -> Decoder:
    """A model of the GPT-3 form: heads of 128, multi-head attention, a GELU network four times the width."""
    hidden = 128 * heads
    return Decoder(name, layers, hidden, heads, heads, 128, 4 * hidden, 2, tied=tied, positions=True, source=source)


_GPT3 = "Brown et al., Language Models are Few-Shot Learners, NeurIPS 2020, table 2.1"
_HERD = "Grattafiori et al., The Llama 3 Herd of Models, 2024, table 3; context 8192: Llama 3 model card"
_NEUPIMS = "casys-kaist/NeuPIMs f299af3, configs/model_configs"

_ALL = (
    _dense("gpt3-7b", 32, 32, f"{_GPT3}, 6.7B; {_NEUPIMS}/gpt3-7B.json"),
    _dense("gpt3-13b", 40, 40, f"{_GPT3}, 13B (its width 5140 is not 40 heads of 128); {_NEUPIMS}/gpt3-13B.json: 5120"),
    _dense("gpt3-30b", 48, 56, f"{_NEUPIMS}/gpt3-30B.json; the shape of OPT-30B, not a size of GPT-3's own table"),
    _dense("gpt3-175b", 96, 96, f"{_GPT3}, 175B; {_NEUPIMS}/gpt3-175B.json"),
    _dense("opt-66b", 64, 72, "Zhang et al., OPT: Open Pre-trained Transformer Language Models, 2022, table 1"),
    Decoder(
        "llama-65b", 80, 8192, 64, 64, 128, 22016, 3, vocab=32000,
        source="Touvron et al., LLaMA, 2023, table 2; ffn 22016: 2/3 of 4 x 8192, up to a multiple of 256",
    ),
    Decoder("llama3-8b", 32, 4096, 32, 8, 128, 14336, 3, context=8192, vocab=128256, source=_HERD),
    Decoder("llama3-70b", 80, 8192, 64, 8, 128, 28672, 3, context=8192, vocab=128256, source=_HERD),
    Decoder(
        "mixtral-47b", 32, 4096, 32, 8, 128, 14336, 3, experts=8, top_k=2, context=32768, vocab=32000,
        source="Jiang et al., Mixtral of Experts, 2024, table 1 (8x7B)",
    ),
    Decoder(
        "glam-143b", 32, 4096, 32, 32, 128, 16384, 2, experts=64, top_k=2, moe_every=2, context=1024, vocab=256000,
        tied=True,
        source="Du et al., GLaM, ICML 2022, table 4 (8B/64E); context 1024, vocabulary 256K; matrices: Duplex",
    ),
    Decoder(
        "grok1-314b", 64, 6144, 48, 8, 128, 32768, 3, experts=8, top_k=2, context=8192, vocab=131072, tied=True,
        source="xai-org/grok-1, run.py and model.py (width factor 8, of which 2/3 per matrix)",
    ),
)  # fmt: skip

MODELS: dict[str, Decoder] = {decoder.name: decoder for decoder in _ALL}


def model(name: str) -> Decoder:
    """One of `MODELS`, in any case of letters.

    Raises:
        UnknownName: for a name that is not there.
    """
    try:
        return MODELS[name.lower()]
    except KeyError:
        raise UnknownName("model", name, MODELS) from None
