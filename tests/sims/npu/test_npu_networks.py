"""Shipped networks against published operation and parameter counts and hand-derived formulas."""

from __future__ import annotations

import numpy as np
import pytest

from archgym.errors import InvalidInput, UnknownName
from archgym.sims.npu.networks import NETWORKS, SOURCES, fingerprint, network


def macs(layers):
    return sum(layer.macs for layer in layers)


def weights(layers):
    return sum(layer.filter_elements for layer in layers if layer.kind != "vector")


def channels(layers):
    """Output channels of all convolutions: each has a scale and a shift of batch normalisation."""
    return sum(layer.groups * layer.n for layer in layers if layer.kind == "conv")


@pytest.mark.parametrize(
    ("name", "giga_operations", "parameters"),
    [
        # torchvision.models, `_ops` (10^9 multiply-accumulates) and `num_params` of the ImageNet weights
        ("resnet18", 1.814, 11_689_512),
        ("resnet50", 4.089, 25_557_032),
        ("mobilenet-v2", 0.301, 3_504_872),
    ],
)
def test_convolutional_networks_match_the_published_counts(name, giga_operations, parameters):
    layers = NETWORKS[name]
    assert round(macs(layers) / 1e9, 3) == giga_operations
    assert weights(layers) + 2 * channels(layers) + 1000 == parameters


def test_alexnet_matches_the_published_counts():
    # Sze et al., Efficient processing of deep neural networks, Proc. IEEE 2017, table II: 666M and 58.6M MACs
    layers = NETWORKS["alexnet"]
    assert round(macs(x for x in layers if x.kind == "conv") / 1e6) == 666
    assert round(macs(x for x in layers if x.kind == "gemm") / 1e6, 1) == 58.6
    assert weights(layers) + channels(layers) + 4096 + 4096 + 1000 == 60_965_224  # bvlc_alexnet.caffemodel
    # Krizhevsky et al., section 3.5, neurons per layer (of the first the paper prints 253,440: its 224 is 227)
    assert [x.groups * x.m * x.n for x in layers if x.kind == "conv"][1:] == [186_624, 64_896, 64_896, 43_264]


def test_vit_matches_the_published_counts():
    layers = NETWORKS["vit-b16"]
    assert round(macs(layers) / 1e9, 3) == 17.564  # torchvision vit_b_16, `_ops`
    tokens, hidden = 197, 768
    learned = weights(x for x in layers if x.batch == 1)  # the attention matrices are activations
    biases = 12 * (3 + 1 + 4 + 1) * hidden + hidden + 1000
    norms = (2 * 12 + 1) * 2 * hidden
    assert learned + biases + norms + (tokens + 1) * hidden == 86_567_656  # torchvision, num_params


@pytest.mark.parametrize(("batch", "sequence"), [(1, 128), (1, 384), (8, 128), (3, 17)])
def test_bert_matches_the_formula(batch, sequence):
    # Per token and layer 4 h^2 for the projections, 8 h^2 for the feed-forward, 2 s h for scores and values.
    hidden = 768
    expected = batch * (12 * (12 * sequence * hidden**2 + 2 * sequence**2 * hidden) + hidden**2)
    layers = network("bert-base", batch=batch, sequence=sequence)
    assert macs(layers) == expected
    if (batch, sequence) == (1, 128):
        assert 2 * expected == pytest.approx(22.5e9, rel=0.01)  # TinyBERT, EMNLP Findings 2020, table 1


@pytest.mark.parametrize("phase", ["prefill", "decode"])
def test_gpt3_blocks_agree_with_the_operator_graph(phase):
    # The language-model family derives the same block its own way.
    from archgym.sims.llm.graph import block
    from archgym.sims.llm.models import model

    batch, tokens = 3, 96
    if phase == "decode":
        layers = network("gpt3-7b-decode", batch=batch, context=tokens)
        operators = block(model("gpt3-7b"), decode=np.full(batch, tokens), prefill=np.array([], dtype=np.int64))
    else:
        layers = network("gpt3-7b-prefill", batch=batch, sequence=tokens)
        operators = block(model("gpt3-7b"), decode=np.array([], dtype=np.int64), prefill=np.full(batch, tokens))
    dense = {op.name: op.flops for op in operators if op.kind == "gemm"}
    ours = [x for x in layers if x.kind == "gemm" and ".attention.scores" not in x.name and ".values" not in x.name]
    assert 2 * macs(ours) == sum(dense.values())
    queries = 1 if phase == "decode" else tokens
    assert macs(layers) - macs(ours) == 2 * batch * queries * tokens * 4096  # scores and values


@pytest.mark.parametrize("name", NETWORKS)
def test_a_batch_multiplies_the_work_and_shares_the_weights(name):
    one, four = NETWORKS[name], network(name, batch=4)
    assert [x.name for x in four] == [x.name for x in one]
    for small, large in zip(one, four, strict=True):
        assert large.macs == 4 * small.macs
        assert large.ofmap_elements == 4 * small.ofmap_elements
        assert large.ifmap_elements == 4 * small.ifmap_elements
        shared = small.kind != "vector" and ".scores" not in small.name and ".values" not in small.name
        assert large.filter_elements == (1 if shared else 4) * small.filter_elements


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_have_a_source_and_distinct_layer_names(name):
    assert "20" in SOURCES[name]
    names = [layer.name for layer in NETWORKS[name]]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", ["alexnet", "resnet18", "resnet50", "mobilenet-v2"])
def test_every_layer_reads_what_an_earlier_one_wrote(name):
    written = {3 * 227 * 227, 3 * 224 * 224}
    for layer in NETWORKS[name]:
        reads = layer.elements if layer.operation in {"relu", "add"} else layer.ifmap_elements
        if layer.operation != "pool":  # windows overlap
            assert reads in written, layer.name
        written.add(layer.ofmap_elements)


def test_specifications_give_sizes():
    assert network("resnet18:batch=8") == network("resnet18", batch=8)
    assert network("bert-base:sequence=384, batch=2") == network("bert-base", batch=2, sequence=384)
    assert network("bert-base:sequence=384", batch=2) == network("bert-base:batch=2,sequence=384")
    assert network("alexnet") == network("alexnet:") == NETWORKS["alexnet"] == network("alexnet:batch=1")


def test_fingerprints_follow_the_layers():
    assert fingerprint("resnet18:batch=1") == fingerprint("resnet18")
    marks = {fingerprint(name) for name in (*NETWORKS, "resnet18:batch=2", "bert-base:sequence=127")}
    assert len(marks) == len(NETWORKS) + 2


@pytest.mark.parametrize(
    ("spec", "error", "message"),
    [
        ("resnet19", UnknownName, "unknown network .and no file has this name. 'resnet19'; did you mean 'resnet18'"),
        ("resnet18:bacth=2", UnknownName, "unknown size of network 'resnet18' 'bacth'; did you mean 'batch'"),
        ("resnet18:sequence=2", UnknownName, "allowed: batch"),
        ("resnet18:batch=0", InvalidInput, "batch=0 is out of range; allowed: whole numbers from 1"),
        ("resnet18:batch=-1", InvalidInput, "got 'batch=-1', expected size=number"),
        ("resnet18:batch=", InvalidInput, "expected size=number"),
        ("resnet18:batch=2,batch=3", InvalidInput, "size 'batch' is given twice"),
        ("gpt3-7b-decode:batch=99999999999999", InvalidInput, "elements; allowed: up to"),
        ("gpt3-7b-decode:context=2049", InvalidInput, "context=2049 is above the model's context; allowed: up to 2048"),
        ("gpt3-7b-prefill:sequence=2049", InvalidInput, "sequence=2049 is above .* allowed: up to 2048"),
        ("bert-base:sequence=513", InvalidInput, "sequence=513 is above the model's context; allowed: up to 512"),
        ("nowhere/model.onnx", InvalidInput, "nowhere/model.onnx: no such file"),
        ("nowhere/model.onnx:batch=2", InvalidInput, "nowhere/model.onnx: no such file"),
    ],
)
def test_wrong_names_and_sizes_are_refused(spec, error, message):
    with pytest.raises(error, match=message) as caught:
        network(spec)
    assert "\n" not in str(caught.value)


def test_a_size_given_twice_is_refused():
    with pytest.raises(InvalidInput, match="'batch' is given twice"):
        network("resnet18:batch=2", batch=2)
    with pytest.raises(InvalidInput, match=r"batch=2\.5 is out of range"):
        network("resnet18", batch=2.5)
