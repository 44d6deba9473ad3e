"""Caffe's `.prototxt` files: `net` finds the layers and the values between them, `reader` builds each by its type.

The rules are those of Caffe's source (github.com/BVLC/caffe, src/caffe/layers/, one file per layer, and the defaults of
src/caffe/proto/caffe.proto). An unknown type, key or value is an error: nothing is guessed. File options of data
layers, and options of losses and boxes, are ignored. Parameters are counted independently here, for an `assert` in the
program.
"""

from __future__ import annotations

from cnndsl.importers.caffe.reader import read

__all__ = ["read"]
