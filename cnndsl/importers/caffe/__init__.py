"""Caffe's `.prototxt` files: `net` finds the layers and the values between them, `reader` makes each by its table.

The rules are those of Caffe's source (github.com/BVLC/caffe, src/caffe/layers/, one file a layer, and the defaults of
src/caffe/proto/caffe.proto). A type, a key or a value that is not known is an error: nothing is guessed. What data
layers say of files, and what losses and boxes say, is not looked at. Parameters are counted here by themselves, for an
`assert` in the text.
"""

from __future__ import annotations

from cnndsl.importers.caffe.reader import read

__all__ = ["read"]
