"""Layers by hand, layer tables by brute force, and CSV files good and broken."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from archgym.errors import InvalidInput, TraceError, UnknownName
from archgym.sims.npu import layout as L
from archgym.sims.npu.layer_csv import read_csv
from archgym.sims.npu.layers import conv, gemm, vector, with_batch
from archgym.sims.npu.table import layer_table, touched_ifmap


def test_a_convolution_becomes_the_gemm_of_its_windows():
    # ResNet's first: 224 x 224 x 3, 64 filters of 7 x 7, stride 2, padding 3.
    layer = conv("conv1", in_h=224, in_w=224, in_c=3, out_c=64, kernel=7, stride=2, padding=3)
    assert (layer.out_h, layer.out_w, layer.m, layer.n, layer.k) == (112, 112, 12544, 64, 147)
    assert layer.macs == 118_013_952
    assert (layer.ifmap_elements, layer.filter_elements, layer.ofmap_elements) == (150_528, 9408, 802_816)
    assert (layer.rows, layer.instances) == (12544, 1)


def test_depthwise_channels_are_gemms_of_their_own_and_images_share_filters():
    layer = conv("dw", in_h=14, in_w=14, in_c=32, out_c=64, kernel=3, padding=1, groups=32, batch=4)
    assert (layer.instances, layer.rows, layer.n, layer.k) == (32, 4 * 196, 2, 9)
    assert layer.filter_elements == 64 * 9
    assert layer.macs == 4 * 14 * 14 * 64 * 9


def test_matrices_of_a_batch_have_operands_of_their_own():
    layer = gemm("scores", 128, 128, 64, batch=12)
    assert (layer.instances, layer.rows) == (12, 128)
    assert layer.macs == 12 * 128 * 128 * 64
    assert layer.ifmap_elements == layer.filter_elements == 12 * 128 * 64


def test_paddings_and_pairs():
    layer = conv(
        "c", in_h=10, in_w=20, in_c=1, out_c=1, kernel=(3, 5), stride=(1, 2), padding=(1, 2, 0, 3), dilation=(2, 1)
    )
    assert layer.out_h == (10 + 1 + 0 - 5) // 1 + 1
    assert layer.out_w == (20 + 2 + 3 - 5) // 2 + 1
    same = conv("c", in_h=10, in_w=20, in_c=1, out_c=1, kernel=3, padding=(1, 1))
    assert (same.out_h, same.out_w) == (10, 20)


def test_more_samples():
    assert with_batch(conv("c", in_h=8, in_w=8, in_c=1, out_c=1, kernel=3), 5).rows == 5 * 36
    assert with_batch(gemm("g", 10, 3, 2), 5).m == 50
    assert with_batch(gemm("g", 10, 3, 2, batch=12), 5).instances == 60
    assert with_batch(vector("v", "softmax", 60, width=6), 5).elements == 300


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: gemm("g", 0, 1, 1), "m=0"),
        (lambda: gemm("g", 1, 1, -1), "k=-1"),
        (lambda: gemm("g", 1, True, 1), "n=True"),
        (lambda: gemm("g", 1, 1, 1, batch=0), "batch=0"),
        (lambda: gemm("g", 1 << 30, 1 << 30, 1), "allowed: up to"),
        (lambda: conv("c", in_h=8, in_w=8, in_c=1, out_c=1, kernel=0), "kernel_h=0"),
        (
            lambda: conv("c", in_h=8, in_w=8, in_c=1, out_c=1, kernel=9),
            "the kernel's height 9 is above the padded input's 8",
        ),
        (lambda: conv("c", in_h=8, in_w=8, in_c=6, out_c=4, kernel=1, groups=4), "do not divide into 4 groups"),
        (lambda: conv("c", in_h=8, in_w=8, in_c=1, out_c=1, kernel=1, padding=-1), "padding -1 is negative"),
        (lambda: conv("c", in_h=8, in_w=8, in_c=1, out_c=1, kernel=1, stride=0), "stride_h=0"),
        (lambda: vector("v", "relu", 0), "elements=0"),
        (lambda: vector("v", "softmax", 10), "width 0 of softmax must divide its 10 elements"),
        (lambda: vector("v", "softmax", 10, width=3), "width 3 of softmax must divide"),
        (lambda: vector("v", "relu", 10, width=5), "relu reduces nothing"),
        (lambda: with_batch(gemm("g", 1, 1, 1), 0), "batch=0"),
    ],
)
def test_wrong_sizes_are_refused_with_the_layer_and_the_size(make, words):
    with pytest.raises(InvalidInput) as error:
        make()
    assert words in str(error.value)
    assert "layer '" in str(error.value)


def test_an_unknown_vector_operation_names_the_nearest():
    with pytest.raises(UnknownName, match="did you mean 'softmax'"):
        vector("v", "softmx", 8)


# -- the table ---------------------------------------------------------------------------------------------------------


def brute_touched(layer):
    """Every window, every tap."""
    found = set()
    for out_y, out_x, y, x in itertools.product(
        *(map(range, (layer.out_h, layer.out_w, layer.kernel_h, layer.kernel_w)))
    ):
        row = out_y * layer.stride_h + y * layer.dilation_h - layer.pad_top
        column = out_x * layer.stride_w + x * layer.dilation_w - layer.pad_left
        if 0 <= row < layer.in_h and 0 <= column < layer.in_w:
            found.add((row, column))
    return len(found) * layer.batch * layer.in_c // layer.groups


@pytest.mark.parametrize("seed", range(30))
def test_distinct_inputs_are_those_some_window_covers(seed):
    rng = np.random.default_rng(seed)
    kernel, stride, dilation = ((int(a), int(b)) for a, b in rng.integers(1, 4, (3, 2)))
    layer = conv(
        "c", in_h=int(rng.integers(7, 15)), in_w=int(rng.integers(7, 15)), in_c=6, out_c=4, kernel=kernel,
        stride=stride, dilation=dilation, padding=tuple(int(pad) for pad in rng.integers(0, 3, 4)), groups=2, batch=3,
    )  # fmt: skip
    assert touched_ifmap(layer) == brute_touched(layer) > 0


def test_strides_above_the_kernel_leave_inputs_unread():
    layer = conv("down", in_h=56, in_w=56, in_c=64, out_c=128, kernel=1, stride=2)
    assert touched_ifmap(layer) == 28 * 28 * 64


def test_table_rows():
    table = layer_table(
        [gemm("g", 3, 5, 7, batch=2), vector("s", "softmax", 24, width=6), vector("p", "pool", 9, window=4)]
    )
    assert table[0, : L.L_IFMAP + 1].tolist() == [L.MATRIX, 3, 5, 7, 2, 21]
    assert table[1, L.L_ELEMENTS :].tolist() == [24, 24, 6, 3, 2, 0]
    assert table[2, L.L_ELEMENTS :].tolist() == [9, 36, 0, 4, 0, 0]


def test_a_network_needs_layers_and_a_fused_layer_one_before():
    with pytest.raises(InvalidInput, match="at least one layer"):
        layer_table([])
    with pytest.raises(InvalidInput, match="'r' is fused with the previous layer, but it is the first"):
        layer_table([vector("r", "relu", 8, fused=True)])


# -- CSV files ---------------------------------------------------------------------------------------------------------


def written(tmp_path, text):
    place = tmp_path / "net.csv"
    place.write_text(text)
    return place


def test_scalesim_topologies_are_read(tmp_path):
    gemms = read_csv(written(tmp_path, "Layer,M,N,K,\nQKT,1024,1024,64,\n\nQKTV,1024,64,1024,\n"))
    assert gemms == (gemm("QKT", 1024, 1024, 64), gemm("QKTV", 1024, 64, 1024))
    convs = read_csv(
        written(
            tmp_path,
            "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,\n"
            "Conv1     ,224         ,224        ,11           ,11          ,3       ,96        ,4      ,\n",
        )
    )
    assert convs == (conv("Conv1", in_h=224, in_w=224, in_c=3, out_c=96, kernel=11, stride=4),)


def test_further_columns_are_read(tmp_path):
    text = (
        "name,ifmap height,ifmap width,filter height,filter width,channels,num filter,strides,"
        "padding,groups,batch,dilation\n"
        "dw,14,14,3,3,8,8,1,1,8,2,1\n"
    )
    assert read_csv(written(tmp_path, text)) == (
        conv("dw", in_h=14, in_w=14, in_c=8, out_c=8, kernel=3, padding=1, groups=8, batch=2),
    )
    assert read_csv(written(tmp_path, "name,m,n,k,batch\nscores,8,8,4,12\n")) == (gemm("scores", 8, 8, 4, batch=12),)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "needs a header and at least one layer"),
        ("Layer,M,N,K\n", "needs a header and at least one layer"),
        ("Layer,M,N\na,1,2\n", "is not known"),
        ("Layer,M,N,K,colour\na,1,2,3,4\n", "is not known"),
        ("Layer,M,N,K\na,1,2\n", "line 2: 3 values for 4 columns"),
        ("Layer,M,N,K\na,1,2,x\n", "line 2: got k 'x'; allowed: whole numbers"),
        ("Layer,M,N,K\na,1,2,3\nb,1,0,3\n", "line 3: layer 'b': n=0"),
    ],
)
def test_broken_files_say_where(tmp_path, text, words):
    with pytest.raises(TraceError) as error:
        read_csv(written(tmp_path, text))
    assert words in str(error.value)
    assert "net.csv" in str(error.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(TraceError, match=r"none\.csv: cannot be read"):
        read_csv(tmp_path / "none.csv")
