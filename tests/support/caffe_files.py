"""Networks of Caffe and graphs of TensorFlow as text, good and bad. Nothing here is ever built or run."""

from __future__ import annotations

from protobytes import message

NET = b"""# a network for use
name: "small"
input: "data"
input_shape { dim: 1 dim: 3 dim: 8 dim: 8 }
layer {
  name: "conv" type: "Convolution" bottom: "data" top: "conv"
  convolution_param { num_output: 4 kernel_size: 3 weight_filler { type: 'xavier' } bias_term: true }
}
layer < name: "prob", type: "Softmax"; bottom: "conv" top: "prob" >
"""
OLDER = b'name: "v1"\nlayers { name: "c" type: CONVOLUTION bottom: "data" top: "c" blobs_lr: [1.0, 2] }\n'
OLDEST = b'name: "v0"\nlayers { layer { name: "c" type: "conv" num_output: 3 } bottom: "data" top: "c" }\n'
PYTHON = b"""name: "evil"
layer { name: "p" type: "Python" top: "x" python_param { module: "os" layer: "system" param_str: "true" } }
"""
TRAINING = b'layer { name: "d" type: "Data" top: "d" data_param { source: "/data/train_lmdb" backend: LMDB } }\n'
OUTPUT = b'layer { name: "o" type: "HDF5Output" bottom: "x" hdf5_output_param { file_name: "/root/.bashrc" } }\n'

SOLVER = b"""# for training
net: "models/small/train_val.prototxt"
test_iter: 100 base_lr: 0.01 lr_policy: "step" stepsize: 1000 solver_mode: GPU
snapshot: 500 snapshot_prefix: "models/small/run" type: "SGD"
"""


def layer(kind: str, name: str = "a", *extra) -> bytes:
    return message((1, name), (2, kind), *extra)


def weights(*layers: bytes) -> bytes:
    """A file of weights; by default of one layer with four numbers."""
    blob = message((7, message((1, [2, 2]))), (5, bytes(16)))
    layers = layers or (layer("InnerProduct", "a", (7, blob)),)
    return message((1, "net"), *((100, one) for one in layers))


GRAPH = b"""node { name: "x" op: "Placeholder" attr { key: "dtype" value { type: DT_FLOAT } } }
node { name: "y" op: "Relu" input: "x" attr { key: "T" value { type: DT_FLOAT } } }
node {
  name: "w" op: "Const"
  attr { key: "value" value { tensor {
    dtype: DT_FLOAT tensor_shape { dim { size: 2 } } tensor_content: "\\000\\x01\\n'"
  } } }
}
versions { producer: 1994 }
"""
SAVED = b"""saved_model_schema_version: 1
meta_graphs {
  meta_info_def { tags: "serve" }
  graph_def { node { name: "x" op: "Placeholder" } library { function { signature { name: "f" } } } }
  collection_def { key: "saved_model_assets" value { any_list { value {
    [type.googleapis.com/tensorflow.AssetFileDef] { tensor_info { name: "a:0" } filename: "vocab.txt" }
  } } } }
}
"""
GOOD: dict[str, dict[str, bytes]] = {
    "caffe": {
        "deploy.prototxt": NET,
        "older.prototxt": OLDER,
        "oldest.prototxt": OLDEST,
        "net.caffemodel": weights(),
        "trained.caffemodel": weights(layer("Data"), layer("Convolution", "b")),
        "v1.caffemodel": message((1, "net"), (2, message((4, "c"), (5, 4), (3, "c")))),
    },
    "tensorflow-text": {"graph.pbtxt": GRAPH, "saved_model.pbtxt": SAVED},
}
"""Files that must be clean, by the format they must be read as."""

BAD: dict[str, dict[str, bytes]] = {
    "caffe": {
        "python.prototxt": PYTHON,
        "output.prototxt": OUTPUT,
        "training.prototxt": TRAINING,
        "python.caffemodel": weights(layer("Python")),
        "custom.caffemodel": weights(layer("RoiPoolMine")),
    },
    "tensorflow-text": {
        "graph.pbtxt": GRAPH.replace(b"Relu", b"PyFunc"),
        "assets.pbtxt": SAVED.replace(b"vocab.txt", b"../../etc/passwd"),
    },
}
"""Files that must not be clean, by the format whose reader finds it."""
