"""How a decoder is cut over devices, and what one of them must hold."""

from __future__ import annotations

from dataclasses import dataclass

from archgym.errors import InvalidInput
from archgym.sims.llm.models import Decoder, whole

__all__ = [
    "DoesNotFit",
    "Parallel",
    "check",
    "check_memory",
    "kv_capacity_tokens",
    "kv_heads_per_rank",
    "rank_kv_bytes_per_token",
    "rank_weight_bytes",
]


class DoesNotFit(InvalidInput):
    """Raised when weights, or keys and values, need more memory than there is: the system cannot serve the load."""


@dataclass(frozen=True)
class Parallel:
    """Degrees of parallelism of one replica.

    `tensor` ranks share each layer (heads and the feed-forward width, Megatron-LM), `pipeline` stages share the layers.
    Inside a tensor group the experts are dealt to `expert` sub-groups, and the ranks of a sub-group share each of their
    experts: `expert=1` is expert tensor parallelism, `expert=tensor` gives every rank whole experts.
    """

    tensor: int = 1
    pipeline: int = 1
    expert: int = 1

    @property
    def devices(self) -> int:
        """Devices of one replica."""
        return self.tensor * self.pipeline


def check(decoder: Decoder, parallel: Parallel) -> None:
    """Refuse a cut that leaves ranks with unequal or no work.

    Raises:
        InvalidInput: naming the degree, what it has to divide, and the degrees that are allowed.
    """
    for degree in ("tensor", "pipeline", "expert"):
        if not whole(getattr(parallel, degree)) or getattr(parallel, degree) < 1:
            raise InvalidInput(f"{degree} degree {getattr(parallel, degree)} is not allowed; allowed: 1 and more")
    tensor, expert = parallel.tensor, parallel.expert
    _divides(decoder, "tensor", tensor, "heads", decoder.heads)
    if decoder.kv_heads % tensor and tensor % decoder.kv_heads:
        raise InvalidInput(
            f"{decoder.name}: tensor degree {tensor} does not fit {decoder.kv_heads} kv_heads; allowed: its divisors "
            "and multiples"
        )
    _divides(decoder, "pipeline", parallel.pipeline, "layers", decoder.layers)
    if expert > 1 and not decoder.experts:
        raise InvalidInput(f"{decoder.name} has no experts: expert degree {expert} is not allowed; allowed: 1")
    if expert > 1:
        _divides(decoder, "expert", expert, "experts", decoder.experts)
        _divides(decoder, "expert", expert, "ranks of the tensor group", tensor)
    _divides(decoder, "tensor", tensor, "ffn_hidden", decoder.ffn_hidden)


def kv_heads_per_rank(decoder: Decoder, tensor: int) -> int:
    """Key heads on one rank; with more ranks than key heads, ranks hold copies."""
    return max(1, decoder.kv_heads // tensor)


def rank_weight_bytes(decoder: Decoder, parallel: Parallel, precision_bytes: float = 2) -> int:
    """Bytes of weights on one device: its share of the matrices, copies of norms and gates; embeddings are split too.

    Embeddings and output layer are counted on every pipeline stage (the first and the last need them).
    """
    check(decoder, parallel)
    tensor, layers = parallel.tensor, decoder.layers // parallel.pipeline
    sparse = -(-decoder.moe_layers // parallel.pipeline)
    key_copies = kv_heads_per_rank(decoder, tensor) * decoder.head_dim
    attention = 2 * decoder.hidden * (decoder.q_width // tensor + key_copies)
    expert_share = decoder.experts * decoder.ffn_parameters() // tensor  # any expert degree: the group holds each once
    gate = decoder.experts * decoder.hidden
    total = layers * (attention + 2 * decoder.hidden) + sparse * (expert_share + gate)
    total += (layers - sparse) * decoder.ffn_parameters() // tensor + decoder.embedding_parameters() // tensor
    return round(total * precision_bytes)


def rank_kv_bytes_per_token(decoder: Decoder, parallel: Parallel, precision_bytes: float = 2) -> int:
    """Bytes of keys and values of one token on one device."""
    heads = kv_heads_per_rank(decoder, parallel.tensor)
    return round(2 * decoder.layers // parallel.pipeline * heads * decoder.head_dim * precision_bytes)


def kv_capacity_tokens(decoder: Decoder, parallel: Parallel, capacity_bytes: float, precision_bytes: float = 2) -> int:
    """Tokens whose keys and values fit beside the weights in `capacity_bytes` of each device (0: none fit).

    Raises:
        DoesNotFit: when the weights alone do not fit, with the bytes needed and available.
        InvalidInput: when the cut is wrong.
    """
    weights = rank_weight_bytes(decoder, parallel, precision_bytes)
    if weights > capacity_bytes:
        raise DoesNotFit(
            f"{decoder.name}: weights need {weights} bytes on each device, {int(capacity_bytes)} are available"
        )
    return int((capacity_bytes - weights) // rank_kv_bytes_per_token(decoder, parallel, precision_bytes))


def check_memory(
    decoder: Decoder, parallel: Parallel, tokens: int, capacity_bytes: float, precision_bytes: float = 2
) -> None:
    """Refuse a batch whose requests hold `tokens` in all, if it does not fit beside the weights.

    Raises:
        DoesNotFit: with the bytes needed and available on each device.
        InvalidInput: when the cut is wrong.
    """
    weights = rank_weight_bytes(decoder, parallel, precision_bytes)
    cache = tokens * rank_kv_bytes_per_token(decoder, parallel, precision_bytes)
    if weights + cache > capacity_bytes:
        raise DoesNotFit(
            f"{decoder.name}: weights ({weights} bytes) and {tokens} tokens of keys and values ({cache} bytes) need "
            f"{weights + cache} bytes on each device, {int(capacity_bytes)} are available"
        )


def _divides(decoder: Decoder, what: str, degree: int, of: str, total: int) -> None:
    if total % degree:
        allowed = ", ".join(str(d) for d in range(1, min(total, 64) + 1) if total % d == 0)
        raise InvalidInput(
            f"{decoder.name}: {what} degree {degree} does not divide its {total} {of}; allowed: {allowed}"
        )
