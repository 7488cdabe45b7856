"""The paper's networks as its notebook has them, in Keras on TensorFlow: the peer of the training steps.

Needs the dependency group `timings`. One step is one call of `train_on_batch` per network, as in the notebook.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["PARAMETERS", "acgan_step", "vgg16_step"]

PARAMETERS = (19_616_963, 5_289_539)
"""Of the generator and the discriminator at 64x64x3: they are the networks of `synthbench_acgan`."""
LATENT, CLASSES, L2 = 100, 2, 1e-3


def acgan_step(batch: int) -> Callable[[], None]:
    """One update of both networks from `batch` images of 64x64x3 in memory."""
    import keras

    generator, discriminator = _generator(), _discriminator()
    sizes = generator.count_params(), discriminator.count_params()
    if sizes != PARAMETERS:
        raise ValueError(f"the networks have {sizes} parameters, the paper's {PARAMETERS}")
    losses = ["mse", "binary_crossentropy"]
    discriminator.compile(keras.optimizers.RMSprop(1e-4, weight_decay=6e-9), loss=losses)
    discriminator.trainable = False  # from here on: within the pair
    noise, label = keras.Input((LATENT,)), keras.Input((CLASSES,))
    pair = keras.Model([noise, label], discriminator(generator([noise, label])))
    pair.compile(keras.optimizers.RMSprop(5e-5, weight_decay=3e-9), loss=losses)
    discriminator.trainable = True
    rng = np.random.default_rng(0)
    reals = rng.random((1024, 64, 64, 3), dtype=np.float32)
    real_labels = np.eye(CLASSES, dtype=np.float32)[np.arange(len(reals)) % CLASSES]

    def step() -> None:
        chosen = rng.integers(len(reals), size=batch)
        labels = np.eye(CLASSES, dtype=np.float32)[rng.integers(CLASSES, size=batch)]
        first, second = rng.uniform(-1, 1, (2, batch, LATENT)).astype(np.float32)
        fakes = np.asarray(generator.predict_on_batch([first, labels]))
        ones, zeros = np.ones((batch, 1), np.float32), np.zeros((batch, 1), np.float32)
        both = np.concatenate([reals[chosen], fakes])
        truth = [np.concatenate([ones, zeros]), np.concatenate([real_labels[chosen], labels])]
        discriminator.train_on_batch(both, truth)
        pair.train_on_batch([second, labels], [ones, labels])

    return step


def vgg16_step(batch: int) -> Callable[[], None]:
    """One Adam step of VGG16 with the paper's head, on `batch` images of 64x64x3 in memory."""
    import keras
    from keras import layers

    backbone = keras.applications.VGG16(include_top=False, weights=None, input_shape=(64, 64, 3), pooling="max")
    x = backbone.output
    for width in (128, 32):
        x = layers.LeakyReLU(negative_slope=0.2)(
            layers.BatchNormalization()(layers.Dense(width)(_dropout(x, 0.4)))
        )
    model = keras.Model(backbone.input, layers.Dense(1, activation="sigmoid")(_dropout(x, 0.4)))
    model.compile(keras.optimizers.Adam(1e-5), loss="binary_crossentropy")
    images = np.random.default_rng(0).random((batch, 64, 64, 3), dtype=np.float32)
    labels = (np.arange(batch) % 2).astype(np.float32)[:, None]
    return lambda: model.train_on_batch(images, labels)


def _generator() -> Any:
    import keras
    from keras import layers, regularizers

    noise, label = keras.Input((LATENT,)), keras.Input((CLASSES,))
    x = layers.Dense(1024)(layers.Concatenate()([noise, label]))
    x = layers.Dense(8 * 8 * 256, kernel_regularizer=regularizers.L2(L2))(x)
    x = layers.Reshape((8, 8, 256))(x)
    for filters, stride in ((256, 2), (128, 2), (64, 2), (32, 1)):
        x = layers.ReLU()(layers.LayerNormalization(epsilon=1e-3)(x))
        x = layers.Conv2DTranspose(filters, 5, stride, padding="same")(x)
    x = layers.Conv2DTranspose(3, 5, padding="same", activation="sigmoid")(x)
    return keras.Model([noise, label], x)


def _discriminator() -> Any:
    import keras
    from keras import layers, regularizers

    image = x = keras.Input((64, 64, 3))
    for filters, stride in ((32, 2), (64, 2), (128, 2), (256, 1)):
        x = layers.Conv2D(filters, 5, stride, padding="same", kernel_regularizer=regularizers.L2(L2))(x)
        x = layers.LeakyReLU(negative_slope=0.2)(x)
    x = layers.Flatten()(x)
    hidden = _dropout(layers.Dense(256, kernel_regularizer=regularizers.L2(L2))(x), 0.3)
    return keras.Model(image, [layers.Dense(1)(x), layers.Dense(CLASSES, activation="softmax")(hidden)])


def _dropout(x: Any, rate: float) -> Any:
    from keras import layers

    return layers.Dropout(rate)(x)
