"""The five networks of `pictures.py` in Keras, at the widths of `architectures/`."""

from __future__ import annotations

from collections.abc import Callable

from keras import Input, Model, Sequential, layers


def conv(x, width: int, size: int, stride: int = 1, act: bool = True):
    """Convolve, normalise and rectify."""
    x = layers.Conv2D(width, size, stride, "same", use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    return layers.ReLU()(x) if act else x


def lenet5() -> Model:
    return Sequential(
        [
            Input((32, 32, 1)),
            layers.Conv2D(6, 5, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(16, 5, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(120, activation="relu"),
            layers.Dense(84, activation="relu"),
            layers.Dense(10),
        ]
    )


def vgg16() -> Model:
    net = Sequential([Input((224, 224, 3))])
    for width, count in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(count):
            net.add(layers.Conv2D(width, 3, padding="same", activation="relu"))
        net.add(layers.MaxPooling2D())
    net.add(layers.Flatten())
    for _ in range(2):
        net.add(layers.Dense(4096, activation="relu"))
        net.add(layers.Dropout(0.5))
    net.add(layers.Dense(1000))
    return net


def resnet18() -> Model:
    given = Input((224, 224, 3))
    x = layers.MaxPooling2D(3, 2, "same")(conv(given, 64, 7, 2))
    for stage, width in enumerate((64, 128, 256, 512)):
        for block in range(2):
            stride = 2 if stage and not block else 1
            skip = conv(x, width, 1, stride, act=False) if stride == 2 else x
            x = conv(conv(x, width, 3, stride), width, 3, act=False)
            x = layers.ReLU()(layers.Add()([x, skip]))
    return Model(given, layers.Dense(1000)(layers.GlobalAveragePooling2D()(x)))


MODULES = (
    ((64, 96, 128, 16, 32, 32), (128, 128, 192, 32, 96, 64)),
    (
        (192, 96, 208, 16, 48, 64),
        (160, 112, 224, 24, 64, 64),
        (128, 128, 256, 24, 64, 64),
        (112, 144, 288, 32, 64, 64),
        (256, 160, 320, 32, 128, 128),
    ),
    ((256, 160, 320, 32, 128, 128), (384, 192, 384, 48, 128, 128)),
)


def googlenet() -> Model:
    given = Input((224, 224, 3))
    x = layers.MaxPooling2D(3, 2, "same")(conv(given, 64, 7, 2))
    x = layers.MaxPooling2D(3, 2, "same")(conv(conv(x, 64, 1), 192, 3))
    for stage, modules in enumerate(MODULES):
        for a, b, c, d, e, f in modules:
            pooled = layers.MaxPooling2D(3, 1, "same")(x)
            branches = [conv(x, a, 1), conv(conv(x, b, 1), c, 3), conv(conv(x, d, 1), e, 3), conv(pooled, f, 1)]
            x = layers.Concatenate()(branches)
        x = layers.MaxPooling2D(3, 2, "same")(x) if stage < 2 else x
    return Model(given, layers.Dense(1000)(layers.Dropout(0.2)(layers.GlobalAveragePooling2D()(x))))


def unet() -> Model:
    given = x = Input((572, 572, 1))
    skips = []
    for width in (64, 128, 256, 512, 1024):
        if skips:
            x = layers.MaxPooling2D()(x)
        for _ in range(2):
            x = layers.Conv2D(width, 3, activation="relu")(x)
        skips.append(x)
    for width, skip in zip((512, 256, 128, 64), reversed(skips[:-1]), strict=True):
        x = layers.Conv2DTranspose(width, 2, 2)(x)
        x = layers.Concatenate()([layers.Cropping2D((skip.shape[1] - x.shape[1]) // 2)(skip), x])
        for _ in range(2):
            x = layers.Conv2D(width, 3, activation="relu")(x)
    return Model(given, layers.Conv2D(2, 1)(x))


MODELS: dict[str, Callable[[], Model]] = {each.__name__: each for each in (lenet5, vgg16, resnet18, googlenet, unet)}
